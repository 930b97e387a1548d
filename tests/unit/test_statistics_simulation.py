"""The simulations that check the tests: what they plant, what they count, and that they can find a fault."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from xstilts.statistics.simulation import SCENARIOS, Outcome, Scenario, simulate


def test_every_study_has_truths_with_and_without_an_effect() -> None:
    assert len(SCENARIOS) == len({scenario.name for scenario in SCENARIOS.values()})
    kinds = Counter((scenario.study, scenario.null, scenario.seeds) for scenario in SCENARIOS.values())
    studies = ("typology", "scale", "qa_retrieval", "order", "similarity")
    assert set(kinds) == {
        (study, null, seeds) for study in studies for null in (True, False) for seeds in (3, 5)
    }


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_scenario_gives_one_row(name: str) -> None:
    row = simulate(SCENARIOS[name], 3).iloc[0]
    assert (row["scenario"], row["simulations"]) == (name, 3)
    assert 0 <= row["rejected"] <= 1
    assert pd.isna(row["power"]) == SCENARIOS[name].null


def test_it_depends_on_the_seed_alone() -> None:
    scenario = SCENARIOS["contrast-3"]
    pd.testing.assert_frame_equal(simulate(scenario, 5, seed=1), simulate(scenario, 5, seed=1))
    assert not simulate(scenario, 40, seed=1).equals(simulate(scenario, 40, seed=2))


def rows(draw: object, **changes: object) -> pd.Series:
    plain = Scenario("invented", "order", "nothing", 0.0, 3, draw, null=True)  # type: ignore[arg-type]
    return simulate(replace(plain, **changes), 1_000).iloc[0]


def drawn(level: float, cover: float, power: float = 0.8) -> object:
    def draw(rng: np.random.Generator, seeds: int, effect: float, state: bool) -> Outcome:
        low = effect - 1 if rng.random() < cover else effect + 1
        return Outcome(float(rng.random() >= level), low, low + 2, power)

    return draw


def test_a_test_that_keeps_its_word_is_ok() -> None:
    row = rows(drawn(0.05, 0.95))
    assert (row["rejected_low"], row["rejected_high"]) == (0.033, 0.069)
    assert (row["coverage_low"], row["coverage_high"]) == (0.91, 0.99)
    assert row["ok"]


def test_one_that_does_not_is_found_out() -> None:
    assert not rows(drawn(0.10, 0.95))["ok"]
    assert not rows(drawn(0.01, 0.95))["ok"]
    assert rows(drawn(0.01, 0.95), discrete=True)["ok"]
    assert not rows(drawn(0.05, 0.85))["ok"]
    assert not rows(drawn(0.05, 0.999))["ok"]
    assert not rows(drawn(0.05, 0.98), seeds=5)["ok"]
    assert rows(drawn(0.8, 0.95), null=False)["ok"]
    assert not rows(drawn(0.6, 0.95), null=False)["ok"]
