"""Do the tests keep their word? Scores with a known truth, simulated and analysed many times.

The noise is that of the studies: a run's luck is shared by all its languages, languages of a family are
alike, and orders that share a prefix share its training. Values are in points. Languages and families are
XTREME's 39 without English.
"""

import itertools
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

import numpy as np
import pandas as pd
from scipy import stats

from xstilts.registry import evaluation_tasks, languages
from xstilts.statistics.crossed import crossed_mean, mean_over_tasks, tost
from xstilts.statistics.errors import Array
from xstilts.statistics.family import family_model
from xstilts.statistics.permutation import label_permutation_correlation, order_test
from xstilts.statistics.power import achieved, achieved_crossed, label_finder, order_finder, simulated_power
from xstilts.statistics.slopes import slope_of_slopes

Study = Literal["typology", "scale", "qa_retrieval", "order", "similarity"]
ALPHA = 0.05
COVERAGE = {3: (0.91, 0.99), 5: (0.93, 0.97)}
"""What 95 % intervals must cover, by number of seeds."""
POWER_BAND = 0.1
"""How far the rate of finding a planted effect may be from what the analyses themselves state."""
STATED = 25
"""In how many of the data sets a power that takes simulation is stated."""
PARAMETERS = (3e8, 5.8e8, 1.23e9, 3.74e9, 1.29e10)
"""mT5 small to XXL."""


@dataclass(frozen=True)
class Outcome:
    """One analysis: its p, its interval where it has one, and the power that it states for the truth."""

    p: float
    low: float | None = None
    high: float | None = None
    power: float | None = None


Draw = Callable[[np.random.Generator, int, float, bool], Outcome]
"""Draws data (generator, seeds, effect) and analyses them; the last says whether to state the power."""


@dataclass(frozen=True)
class Scenario:
    """One truth.

    Attributes:
        name: Unique; the noise is drawn from it and the seed.
        study: Whose test it is.
        planted: The effect and the noise, in words.
        effect: Size of the effect, in the unit of `planted`; what intervals should cover.
        seeds: Training runs.
        draw: Draws and analyses.
        null: Whether the tested hypothesis is true, so that rejecting it is an error.
        discrete: Whether p takes few values, so that an error rate below the band is right.
    """

    name: str
    study: Study
    planted: str
    effect: float
    seeds: int
    draw: Draw
    null: bool
    discrete: bool = False


def simulate(scenario: Scenario, simulations: int = 1_000, seed: int = 0) -> pd.DataFrame:
    """The table of one row that says how often the truth was covered and the hypothesis rejected.

    Columns: scenario, study, planted, effect, seeds, simulations; coverage with its bar (coverage_low,
    coverage_high); rejected, with the 99 % binomial band of the level (rejected_low, rejected_high) where
    the tested hypothesis is true, else with the power that the analyses state (power, their median)
    and POWER_BAND around it; ok, whether all bars are met. Empty where a test has no interval.
    """
    rng = np.random.default_rng([seed, zlib.crc32(scenario.name.encode())])
    stating = 0 if scenario.null else min(simulations, STATED if scenario.discrete else simulations)
    outcomes = [scenario.draw(rng, scenario.seeds, scenario.effect, i < stating) for i in range(simulations)]
    row: dict[str, Any] = {
        "scenario": scenario.name,
        "study": scenario.study,
        "planted": scenario.planted,
        "effect": scenario.effect,
        "seeds": scenario.seeds,
        "simulations": simulations,
    }
    row |= _coverage(outcomes, scenario)
    row |= _rejection(outcomes, scenario)
    return pd.DataFrame([row | {"ok": _within(row, "coverage") and _within(row, "rejected")}])


def _within(row: dict[str, Any], name: str) -> bool:
    return row[name] is None or bool(row[f"{name}_low"] <= row[name] <= row[f"{name}_high"])


def _coverage(outcomes: list[Outcome], scenario: Scenario) -> dict[str, float | None]:
    covered = [
        o.low <= scenario.effect <= o.high for o in outcomes if o.low is not None and o.high is not None
    ]
    if not covered:
        return {"coverage": None, "coverage_low": None, "coverage_high": None}
    low, high = COVERAGE[scenario.seeds]
    return {"coverage": float(np.mean(covered)), "coverage_low": low, "coverage_high": high}


def _rejection(outcomes: list[Outcome], scenario: Scenario) -> dict[str, float | None]:
    n = len(outcomes)
    rejected = float(np.mean([o.p <= ALPHA for o in outcomes]))
    if scenario.null:
        low, high = (float(stats.binom.ppf(q, n, ALPHA)) / n for q in (0.005, 0.995))
        return {
            "rejected": rejected,
            "rejected_low": 0.0 if scenario.discrete else low,
            "rejected_high": high,
            "power": None,
        }
    power = float(np.median([o.power for o in outcomes if o.power is not None]))
    return {
        "rejected": rejected,
        "rejected_low": power - POWER_BAND,
        "rejected_high": power + POWER_BAND,
        "power": power,
    }


@cache
def _languages() -> pd.DataFrame:
    """XTREME's languages without English: language, family, log10 of the pre-training size."""
    known = {code: entry for code, entry in languages().items() if entry.xtreme and code != "en"}
    rows = [(code, entry.family, np.log10(entry.cc100_gib or 0.1)) for code, entry in sorted(known.items())]
    return pd.DataFrame(rows, columns=["language", "family", "size"])


def _alike(rng: np.random.Generator, share: float, *shape: int) -> Array:
    """Noise of variance 1, of which languages of one family share `share`: (*shape, languages)."""
    family = _languages()["family"].factorize()[0]
    common = rng.normal(size=(*shape, family.max() + 1))[..., family]
    return np.asarray(np.sqrt(share) * common + np.sqrt(1 - share) * rng.normal(size=common.shape))


def _contrast(
    rng: np.random.Generator, seeds: int, *, run: float, language: float, share: float, own: float
) -> pd.DataFrame:
    """Noise of a contrast per seed and language.

    Args:
        rng: Generator.
        seeds: Training runs.
        run: Standard deviation that all languages of a run share; families share half as much more.
        language: That of the effect between languages.
        share: What languages of a family share of its variance.
        own: That of a run's single language.
    """
    table = _languages()
    y = run * rng.normal(size=(seeds, 1)) + language * _alike(rng, share)
    y = y + np.hypot(run / 2, own) * _alike(rng, (run / 2) ** 2 / ((run / 2) ** 2 + own**2), seeds)
    return _long(y, range(seeds)).merge(table)


def _long(y: Array, seeds: range) -> pd.DataFrame:
    codes = _languages()["language"]
    return pd.DataFrame(
        {"seed": np.repeat(seeds, len(codes)), "language": np.tile(codes, len(seeds)), "value": y.ravel()}
    )


def _typology(share: float) -> Draw:
    def draw(rng: np.random.Generator, seeds: int, effect: float, state: bool) -> Outcome:
        table = _languages()
        # Distances and fertility run in families too, or the test would be too easy.
        distance, fertility = 0.5 + 0.1 * _alike(rng, 0.5), 2 + 0.5 * _alike(rng, 0.5)
        noise = 5 * _alike(rng, share) + (rng.normal(size=(seeds, 1)) + _alike(rng, share, seeds)).mean(
            axis=0
        )
        data = table.assign(distance=distance, fertility=fertility, y=effect * distance + fertility + noise)
        fit = family_model(data, "y", "distance", ["size", "fertility"])
        return Outcome(fit.p, fit.low, fit.high, achieved(effect, fit.error, fit.freedom, ALPHA))

    return draw


def _scale(sizes: int) -> Draw:
    def draw(rng: np.random.Generator, seeds: int, effect: float, state: bool) -> Outcome:
        parameters = np.array(PARAMETERS[-sizes:])
        similarity = 0.5 + 0.1 * _alike(rng, 0.5)
        slopes = 10 + effect * (np.log10(parameters) - 9) + 5 * rng.normal(size=sizes)
        # Of the languages for good, of a size's checkpoint, of a run, and of a run's language.
        noise = 2 * _alike(rng, 0.5) + _alike(rng, 0.5, sizes)[:, None] + rng.normal(size=(sizes, seeds, 1))
        gain = slopes[:, None, None] * similarity + noise + _alike(rng, 0.3, sizes, seeds)
        x = similarity - similarity.mean()
        found = (gain @ x / (x @ x)).ravel()
        fit = slope_of_slopes(pd.DataFrame({"parameters": np.repeat(parameters, seeds), "slope": found}))
        return Outcome(fit.p, fit.low, fit.high, achieved(effect, fit.error, fit.freedom, ALPHA))

    return draw


def _crossed(**noise: float) -> Draw:
    def draw(rng: np.random.Generator, seeds: int, effect: float, state: bool) -> Outcome:
        data = _contrast(rng, seeds, **noise)
        fit = crossed_mean(data.assign(value=data["value"] + effect))
        power = achieved_crossed(fit, effect, ALPHA) if state else None
        return Outcome(fit.p, fit.low, fit.high, power)

    return draw


def _two_tasks(**noise: float) -> Draw:
    """A contrast in Tatoeba's 36 languages and LAReQA's 10; half of the variance is the same in both."""
    of_task = {
        "tatoeba": set(evaluation_tasks()["tatoeba"].languages.xtreme),
        "lareqa": set(evaluation_tasks()["lareqa"].languages.xtreme_r),
    }

    def draw(rng: np.random.Generator, seeds: int, effect: float, state: bool) -> Outcome:
        shared = _contrast(rng, seeds, **noise)["value"]
        parts = []
        for task, codes in of_task.items():
            own = _contrast(rng, seeds, **noise)
            own["value"] = effect + np.sqrt(0.5) * (shared + own["value"])
            parts.append(own[own["language"].isin(codes)].assign(task=task))
        fit = crossed_mean(mean_over_tasks(pd.concat(parts)).merge(_languages()))
        power = achieved_crossed(fit, effect, ALPHA) if state else None
        return Outcome(fit.p, fit.low, fit.high, power)

    return draw


def _equivalence(margin: float, **noise: float) -> Draw:
    def draw(rng: np.random.Generator, seeds: int, effect: float, state: bool) -> Outcome:
        data = _contrast(rng, seeds, **noise)
        fit = crossed_mean(data.assign(value=data["value"] + effect))
        power = achieved_crossed(fit, effect, ALPHA, margin) if state else None
        return Outcome(tost(fit, margin).p, power=power)

    return draw


def _tree(rng: np.random.Generator, seeds: int, orders: list[tuple[str, ...]], sd: float) -> Array:
    """Noise of each stage, shared by all orders that begin with it: (seeds, orders)."""
    depth = len(orders[0])
    noise = np.zeros((seeds, len(orders)))
    for cut in range(1, depth + 1):
        node = pd.factorize(np.array(["-".join(order[:cut]) for order in orders]))[0]
        noise += sd * rng.normal(size=(seeds, node.max() + 1))[:, node]
    return noise


def _orders(tasks: int, sampled: int = 0) -> Draw:
    def draw(rng: np.random.Generator, seeds: int, effect: float, state: bool) -> Outcome:
        orders = _sequences(rng, tasks, sampled)
        y = (
            70
            + rng.normal(size=(seeds, 1))
            + _tree(rng, seeds, orders, 0.5)
            + effect * rng.normal(size=len(orders))
        )
        rows = [(seed, order, y[seed, i]) for i, order in enumerate(orders) for seed in range(seeds)]
        data = pd.DataFrame(rows, columns=["seed", "order", "value"])
        test = order_test(data, limit=2_000, samples=299)
        power = (
            simulated_power(order_finder(data)[0], effect, 100, int(rng.integers(2**31))) if state else None
        )
        return Outcome(test.p, power=power)

    return draw


def _sequences(rng: np.random.Generator, tasks: int, sampled: int) -> list[tuple[str, ...]]:
    """All orders of so many tasks, or `sampled` different random ones."""
    every = list(itertools.permutations("abcdefgh"[:tasks]))
    if not sampled:
        return every
    return [every[i] for i in sorted(rng.choice(len(every), sampled, replace=False))]


def _named_orders(rng: np.random.Generator, seeds: int, effect: float, state: bool) -> Outcome:
    """Two orders with a common first task: what both share leaves the contrast."""
    tree = _tree(rng, seeds, [("a", "b", "c"), ("a", "c", "b")], 0.5)
    data = _contrast(rng, seeds, run=0.0, language=1.0, share=0.4, own=1.0)
    luck = dict(enumerate(tree[:, 0] - tree[:, 1]))
    fit = crossed_mean(data.assign(value=data["value"] + effect + data["seed"].map(luck)))
    return Outcome(fit.p, fit.low, fit.high, achieved_crossed(fit, effect, ALPHA) if state else None)


def _similarity(intermediates: int, targets: int, missing: int = 0) -> Draw:
    def draw(rng: np.random.Generator, seeds: int, effect: float, state: bool) -> Outcome:
        def shared(part: float, *shape: int) -> Array:
            common = rng.normal(size=(*shape, intermediates, 1))
            own = rng.normal(size=(*shape, intermediates, targets))
            return np.asarray(np.sqrt(part) * common + np.sqrt(1 - part) * own)

        x = shared(0.5)
        # Half of what an intermediate does, it does to every target; so does the luck of its runs.
        noise = shared(0.5) + 0.5 * shared(0.5, seeds).mean(axis=0) + rng.normal(size=targets)
        inside = x - x.mean(axis=0)
        spread = np.sqrt((1 + 0.25 / seeds) * (1 - 1 / intermediates))  # of the noise within targets
        y = effect * spread / np.sqrt(1 - effect**2) * inside / inside.std() + noise
        pairs = [(i, t, x[i, t], y[i, t]) for i in range(intermediates) for t in range(targets)]
        kept = [pair for pair in pairs if not (pair[0] == pair[1] and pair[0] < missing)]
        data = pd.DataFrame(kept, columns=["intermediate", "target", "similarity", "gain"])
        test = label_permutation_correlation(
            data, "similarity", "gain", label="intermediate", group="target", limit=1_000, samples=499
        )
        if not state:
            return Outcome(test.p)
        found, _ = label_finder(data, "similarity", "gain", label="intermediate", group="target")
        return Outcome(test.p, power=simulated_power(found, effect, 100, int(rng.integers(2**31))))

    return draw


USUAL = {"run": 1.0, "language": 1.0, "share": 0.4, "own": 1.0}
QUIET = {"run": 0.5, "language": 2.0, "share": 0.5, "own": 1.0}
UNIFORM = {"run": 0.5, "language": 0.0, "share": 0.0, "own": 1.0}


def _scenarios() -> list[Scenario]:
    found: list[Scenario] = []

    def add(
        name: str, study: Study, planted: str, effects: dict[int, float], draw: Draw, **more: bool
    ) -> None:
        for seeds, effect in effects.items():
            null = more.get("null", effect == 0)
            row = Scenario(
                f"{name}-{seeds}", study, planted, effect, seeds, draw, null, more.get("discrete", False)
            )
            found.append(row)

    nothing = {3: 0.0, 5: 0.0}
    slope = "points per unit of distance; families share 50 % of the noise"
    add("slope-none", "typology", "no " + slope, nothing, _typology(0.5))
    add("slope", "typology", slope, {3: 25.0, 5: 25.0}, _typology(0.5))
    per = "slope per tenfold parameters; slopes vary between checkpoints"
    add("scale-none", "scale", "no " + per, nothing, _scale(5))
    add("scale", "scale", per, {3: 20.0, 5: 20.0}, _scale(5))
    usual = "run noise 1 point, languages 1, of which families share 40 %"
    quiet = "run noise 0.5 points, languages 2, of which families share 50 %"
    add("contrast-none", "qa_retrieval", "no difference; " + usual, nothing, _crossed(**USUAL))
    add("contrast-none-quiet", "qa_retrieval", "no difference; " + quiet, nothing, _crossed(**QUIET))
    alike = "no difference; run noise 0.5 points, languages alike"
    add("contrast-none-alike", "qa_retrieval", alike, nothing, _crossed(**UNIFORM))
    add("contrast", "qa_retrieval", "points; " + usual, {3: 3.0, 5: 2.0}, _crossed(**USUAL))
    two = "tasks of 36 and of 10 languages that share half of the variance; "
    add("tasks-none", "qa_retrieval", "no difference; " + two + usual, nothing, _two_tasks(**USUAL))
    add("tasks-none-quiet", "qa_retrieval", "no difference; " + two + quiet, nothing, _two_tasks(**QUIET))
    add("tasks", "qa_retrieval", "points; " + two + usual, {3: 3.0, 5: 2.0}, _two_tasks(**USUAL))
    add("tasks-quiet", "qa_retrieval", "points; " + two + quiet, {3: 3.0, 5: 2.5}, _two_tasks(**QUIET))
    limit = "as large as the margin, 3 points; " + usual
    add("equivalence-none", "qa_retrieval", limit, {3: 3.0, 5: 3.0}, _equivalence(3.0, **USUAL), null=True)
    within = "no difference, margin 3 points; " + usual
    add("equivalence", "qa_retrieval", within, nothing, _equivalence(3.0, **USUAL), null=False)
    add(
        "order-none",
        "order",
        "no order effect; 3 tasks, prefixes share noise",
        nothing,
        _orders(3),
        discrete=True,
    )
    add("order", "order", "points between orders (SD); 3 tasks", {3: 2.0, 5: 1.0}, _orders(3), discrete=True)
    sampled = "no order effect; 12 random sequences of 5 tasks"
    add("sequences-none", "order", sampled, nothing, _orders(5, 12), discrete=True)
    add(
        "named-orders",
        "order",
        "points between two orders that share a prefix",
        {3: 2.0, 5: 1.5},
        _named_orders,
    )
    pairs = "correlation; an intermediate's luck is shared by its targets"
    add("similarity-none", "similarity", "no " + pairs, nothing, _similarity(6, 5), discrete=True)
    add(
        "similarity-none-gaps",
        "similarity",
        "none; 4 of 30 pairs missing",
        nothing,
        _similarity(6, 5, 4),
        discrete=True,
    )
    add("similarity", "similarity", pairs, {3: 0.7, 5: 0.7}, _similarity(6, 5), discrete=True)
    return found


SCENARIOS: dict[str, Scenario] = {scenario.name: scenario for scenario in _scenarios()}
