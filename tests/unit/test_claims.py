"""Claims: the file, each quantity on a made table, verdicts and tiers."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml
from test_settings import ROOT

from xstilts import registry, settings
from xstilts.claims import schema
from xstilts.claims.evaluation import COLUMNS, CONFIGURED, NOT_REPRODUCED, NOT_RUN, REPRODUCED, evaluate
from xstilts.claims.facts import RunFacts
from xstilts.claims.gains import xtreme_languages
from xstilts.claims.quantities import Evidence
from xstilts.claims.schema import Claims, load
from xstilts.errors import ConfigError, RegistryError
from xstilts.jobs import Jobs
from xstilts.plan import Plan
from xstilts.scoring.table import COLUMNS as SCORE_COLUMNS
from xstilts.scoring.table import collect

FILE = ROOT / "claims.yaml"
LARGE = "FacebookAI/xlm-roberta-large"
NINE = ["anli_plus", "mnli", "qqp", "squad2", "squad1", "hellaswag", "ccg", "cosmosqa", "csqa"]
ALL_NINE = "+".join(sorted(NINE))
TARGETS = ["xnli", "pawsx", "udpos", "panx", "xquad", "mlqa", "tydiqa", "bucc2018", "tatoeba"]
PAIRS = [recipe for task in ("mnli", "squad2", "hellaswag") for recipe in (task, f"cmlm+{task}")]


def rows(
    gains: Mapping[str, float],
    tasks: list[str],
    *,
    seeds: tuple[int, ...] = (1, 2),
    split: str = "",
    metrics: int = 1,
    model: str = "large",
    parameters: int = 559_890_432,
) -> pd.DataFrame:
    """Scores of the baseline (0.2 and more with every seed) and of recipes that gain so many points."""
    found: list[dict[str, Any]] = []
    for task in tasks:
        entry = registry.evaluation_tasks()[task]
        target = entry.target or "-"
        for recipe, gain in {"-": 0.0, **gains}.items():
            plain = target == "-" and recipe == "-"
            whole = "mlm" if plain else "-".join(part for part in (recipe, target) if part != "-")
            fixed = {"run": "test", "model": model, "parameters": parameters, "recipe": whole, "task": task}
            fixed |= {"intermediate": recipe, "target": target, "setting": "-", "n": 100}
            if split == "test" and entry.test is not None:
                entry = entry.model_copy(update={"data": entry.test})
            found += [
                fixed
                | {"seed": seed, "language": code, "metric": metric, "split": entry.scored(code)}
                | {"value": 0.2 + (0 if target == "-" else seed / 100) + gain / 100}
                for seed in ((0,) if plain else seeds)
                for code in xtreme_languages(task)
                for metric in entry.metrics[:metrics]
            ]
    return collect([pd.DataFrame(found, columns=SCORE_COLUMNS)])


def languages_scored_on_test(task: str) -> list[str]:
    """The languages of a task that have no other split than test."""
    entry = registry.evaluation_tasks()[task]
    test = entry.test or entry.data
    return [code for code in xtreme_languages(task) if entry.data.of(code) == test.of(code)]


def facts(**changes: Any) -> RunFacts:
    stages = [("-" if recipe == "-" else recipe, registry.evaluation_tasks()[task].target or "-", task)
              for recipe in ["-", *NINE] for task in TARGETS]  # fmt: skip
    fixed = {
        "name": "test",
        "miniature": False,
        "source": "hub",
        "models": {"large": LARGE},
        "stages": stages,
    }
    return RunFacts.model_validate(fixed | changes)


def claims_with(quantity: dict[str, Any], **keys: Any) -> Claims:
    """The file's model and figures, and one claim."""
    raw = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    one = {"id": "one", "statement": "s", "source": "x", "tier": "paper", "relation": "equal", "expected": 0}
    raw["claims"] = [one | {"unit": "points", "quantity": quantity} | keys]
    return Claims.model_validate(raw)


def row_of(
    quantity: dict[str, Any],
    scores: pd.DataFrame | None = None,
    run: RunFacts | None = None,
    leakage: pd.DataFrame | None = None,
    **keys: Any,
) -> dict[str, Any]:
    empty = pd.DataFrame(columns=SCORE_COLUMNS)
    evidence = Evidence(
        claims_with(quantity, **keys),
        run or facts(),
        empty if scores is None else scores,
        pd.DataFrame() if leakage is None else leakage,
    )
    table = evaluate(evidence)
    assert list(table.columns) == COLUMNS
    return dict(table.iloc[0])


def judged(*args: Any, **keys: Any) -> tuple[str, str]:
    row = row_of(*args, **keys)
    return row["found"], row["verdict"]


# The file


def test_the_file_holds_twenty_claims_that_validate() -> None:
    claims = load(FILE)
    assert len(claims.claims) == 20
    assert sum(claim.operationalised for claim in claims.claims) == 6
    assert all(claim.quantity.in_words and claim.source for claim in claims.claims)
    assert claims.model.repository == LARGE


def test_the_claims_name_the_models_commit_of_the_run_paper() -> None:
    run = json.loads(Jobs(Plan(settings.read(ROOT / "config.yaml", ROOT / "config/paper.yaml"))).run_facts)
    assert run["models"] == {"xlmr_large": LARGE}


def test_the_run_paper_plans_every_score_that_the_claims_ask_for(tmp_path: Path) -> None:
    everything = tmp_path / "everything.yaml"  # with the data that the hub does not have
    everything.write_text("run: {without: []}\n", encoding="utf-8")
    plan = Plan(settings.read(ROOT / "config.yaml", ROOT / "config/paper.yaml", everything))
    planned = {(cell.intermediate, cell.task) for cell in plan.cells}
    asked = [claim.quantity for claim in load(FILE).claims if isinstance(claim.quantity, schema.GainQuantity)]
    assert len(asked) == 10
    for quantity in asked:
        if isinstance(quantity, schema.GainDifference):
            named = [str(recipe) for pair in quantity.pairs for recipe in pair]
        else:
            named = [str(recipe) for recipe in quantity.recipes]
        assert {(recipe, task) for recipe in ["-", *named] for task in quantity.tasks} <= planned


def test_published_counts_agree_with_the_claimed_ones() -> None:
    for claim in load(FILE).claims:
        if isinstance(claim.quantity, schema.TrainingExamples):
            splits = registry.training_tasks()[claim.quantity.task].train
            figures = [registry.datasets()[split.dataset].published[split.split] for split in splits]
            assert sum(figure for figure in figures if isinstance(figure, int)) == claim.expected


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"expect": 1}, "claim 'squad_gain': expect: unknown key"),
        ({"relation": "about"}, "claim 'squad_gain': relation: Input should be 'equal'"),
        ({"statement": None}, "claim 'squad_gain': statement: Input should be a valid string"),
        ({"tolerance": -1}, "claim 'squad_gain': tolerance: "),
        ({"relation": "above"}, "claim 'squad_gain': tolerance: the relation above has none"),
        ({"tier": "any"}, "claim 'squad_gain': tier: mean_gain is of the tier paper, not any"),
        ({"quantity": {"function": "median_gain"}}, "claim 'squad_gain': quantity: Input tag 'median_gain'"),
        ({"quantity": {"tasks": []}}, "claim 'squad_gain': quantity: Unable to extract tag"),
        (
            {"quantity": {"function": "mean_gain", "recipes": ["squad3"], "tasks": ["xnli"]}},
            "claim 'squad_gain': quantity.recipes.0: unknown training task 'squad3'",
        ),
        (
            {"quantity": {"function": "mean_gain", "recipes": ["squad2+mnli"], "tasks": ["xnli"]}},
            "claim 'squad_gain': quantity.recipes.0: 'squad2+mnli' is not how the recipe is named",
        ),
        (
            {"quantity": {"function": "mean_gain", "recipes": ["mlm"], "tasks": ["xnli"]}},
            "claim 'squad_gain': quantity.recipes.0: 'mlm' is no intermediate training",
        ),
        (
            {"quantity": {"function": "mean_gain", "recipes": ["mnli"], "tasks": ["xnly"]}},
            "claim 'squad_gain': quantity.tasks.0: unknown evaluation task 'xnly'",
        ),
        (
            {"quantity": {"function": "mean_gain", "recipes": ["mnli"], "tasks": ["xnli"],
                          "metrics": {"xnli": ["f1"]}}},
            "claim 'squad_gain': quantity.metrics: xnli has no metric 'f1'",
        ),
        (
            {"quantity": {"function": "count_gains", "recipes": ["mnli"], "tasks": ["xnli"]}},
            "claim 'squad_gain': quantity: give one of at_least and above",
        ),
        (
            {"quantity": {"function": "published_lead", "system": "BERT"}, "tier": "any", "tolerance": 0},
            "claim 'squad_gain': quantity.system: published has no 'BERT'",
        ),
        ({"id": "mnli_gain"}, "the claim 'mnli_gain' stands twice"),
    ],
)  # fmt: skip
def test_a_malformed_file_names_the_claim_and_the_key(
    tmp_path: Path, changes: dict[str, Any], message: str
) -> None:
    raw = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    entry = next(claim for claim in raw["claims"] if claim["id"] == "squad_gain")
    entry |= changes
    path = tmp_path / "claims.yaml"
    path.write_text(yaml.safe_dump(raw), encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load(path)
    assert message in caught.value.what
    assert caught.value.where == str(path)


def test_a_missing_key_is_named(tmp_path: Path) -> None:
    raw = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    del raw["claims"][0]["expected"]
    (tmp_path / "claims.yaml").write_text(yaml.safe_dump(raw), encoding="utf-8")
    with pytest.raises(ConfigError, match="claim 'starting_model': expected: is missing"):
        load(tmp_path / "claims.yaml")


@pytest.mark.parametrize("text", ["", "claims: 3\n", "- a\n"])
def test_another_file_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "claims.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError):
        load(tmp_path / "claims.yaml")


def test_a_key_given_twice_is_refused(tmp_path: Path) -> None:
    (tmp_path / "claims.yaml").write_text("claims: []\nclaims: []\n", encoding="utf-8")
    with pytest.raises(RegistryError, match="given twice"):
        load(tmp_path / "claims.yaml")


# Gains

MEAN = {"function": "mean_gain", "recipes": ["squad2"], "tasks": TARGETS}


@pytest.mark.parametrize(
    ("gain", "verdict"),
    [
        (8.2, REPRODUCED),
        (9.2, REPRODUCED),
        (7.2, REPRODUCED),
        (9.2001, NOT_REPRODUCED),
        (7.1999, NOT_REPRODUCED),
    ],
)
def test_mean_gain_within_its_tolerance(gain: float, verdict: str) -> None:
    found = judged(MEAN, rows({"squad2": gain}, TARGETS), expected=8.2, tolerance=1.0)
    assert found == (f"{gain:g}", verdict)


def test_mean_gain_is_a_mean_of_the_tasks_whatever_their_languages() -> None:
    scores = collect([rows({"mnli": 6}, ["panx"]), rows({"mnli": 2}, ["bucc2018"])])
    quantity = {"function": "mean_gain", "recipes": ["mnli"], "tasks": ["panx", "bucc2018"]}
    assert judged(quantity, scores, expected=4) == ("4", REPRODUCED)


def test_mean_gain_over_recipes_and_other_relations() -> None:
    quantity = {"function": "mean_gain", "recipes": ["mnli", "qqp"], "tasks": ["xnli"]}
    for low, verdict in ((0.4, REPRODUCED), (0.4002, NOT_REPRODUCED)):
        found = row_of(quantity, rows({"mnli": 0.6, "qqp": low}, ["xnli"]), relation="at_most", expected=0.5)
        assert found["verdict"] == verdict
    assert found["why"] == "mnli +0.6, qqp +0.4"


def test_mean_gain_pairs_seeds_and_lets_the_masked_lm_stand_for_every_seed() -> None:
    quantity = {"function": "mean_gain", "recipes": ["qqp"], "tasks": ["xnli", "tatoeba"]}
    scores = rows({"qqp": 3}, ["xnli", "tatoeba"], seeds=(1, 2, 3))
    assert judged(quantity, scores, expected=3) == ("3", REPRODUCED)
    unpaired = scores[~((scores["intermediate"] == "-") & (scores["task"] == "xnli") & (scores["seed"] == 2))]
    row = row_of(quantity, unpaired)
    assert (row["verdict"], row["why"]) == (NOT_RUN, "no baseline mnli in xnli with seed 2")
    fewer = scores[~((scores["intermediate"] == "qqp") & (scores["task"] == "xnli") & (scores["seed"] == 3))]
    assert row_of(quantity, fewer)["why"] == "no score of qqp in xnli with seed 3"


def test_mean_gain_is_over_the_languages_of_xtreme_alone() -> None:
    scores = rows({"qqp": 3}, ["panx"])
    other = scores[(scores["language"] == "de") & (scores["intermediate"] == "qqp")]
    other = other.assign(language="pl", value=0.9)  # of XTREME-R
    whole = collect([scores, other])
    assert judged({**MEAN, "recipes": ["qqp"], "tasks": ["panx"]}, whole, expected=3) == ("3", REPRODUCED)


@pytest.mark.parametrize("side", ["-", "squad2"])
def test_mean_gain_names_the_language_that_is_missing(side: str) -> None:
    scores = rows({"squad2": 8.2}, TARGETS)
    gap = (scores["task"] == "panx") & (scores["language"] == "my") & (scores["intermediate"] == side)
    row = row_of(MEAN, scores[~gap], expected=8.2)
    assert (row["found"], row["verdict"]) == ("", NOT_RUN)
    assert row["why"].startswith("no score of ")
    assert row["why"].endswith("panx in my")


def test_mean_gain_names_the_tasks_that_are_missing() -> None:
    row = row_of(MEAN, rows({"squad2": 8.2}, TARGETS[2:]))
    assert row["why"] == "no score of squad2 in xnli, pawsx"


def test_what_rests_on_a_collapsed_run_says_what_there_is_without_it() -> None:
    quantity = {"function": "mean_gain", "recipes": ["qqp"], "tasks": ["xnli"]}
    scores = rows({"qqp": 4}, ["xnli"])
    fallen = (scores["intermediate"] == "qqp") & (scores["seed"] == 2)
    scores.loc[fallen, "value"] = scores.loc[fallen, "value"] - 0.1
    evidence = Evidence(claims_with(quantity, expected=-1), facts(), scores, pd.DataFrame())

    def why(recipe: str, kind: str = "collapsed") -> str:
        one = {"model": "large", "recipe": recipe, "seed": 2, "incident": kind, "task": "qqp"}
        row = evaluate(evidence, pd.DataFrame([one])).iloc[0]
        assert (row["found"], row["verdict"]) == ("-1", REPRODUCED)
        return str(row["why"])

    plain = evaluate(evidence).iloc[0]["why"]
    assert "without collapsed runs: 4, not reproduced" in why("qqp")
    assert why("squad1") == why("qqp", "restarted") == plain
    assert "without collapsed runs: -, not run at this tier" in why("mnli")  # the baseline


def test_several_settings_are_no_number() -> None:
    scores = rows({"squad2": 8.2}, ["tatoeba"])
    row = row_of({**MEAN, "tasks": ["tatoeba"]}, collect([scores, scores.assign(setting="7-mean")]))
    assert row["why"] == "squad2 in tatoeba has scores in several settings: -, 7-mean"


def test_the_best_of_several_must_be_the_best() -> None:
    quantity = {**MEAN, "recipes": [ALL_NINE], "best_of": NINE}
    gains = dict.fromkeys(NINE, 8.0) | {ALL_NINE: 8.7}
    assert judged(quantity, rows(gains, TARGETS), expected=8.7, tolerance=1) == ("8.7", REPRODUCED)
    row = row_of(quantity, rows(gains | {"squad2": 8.7001}, TARGETS), expected=8.7, tolerance=1)
    assert row["verdict"] == NOT_REPRODUCED
    assert row["why"].startswith("higher: squad2 (+8.7); ")
    del gains["ccg"]
    assert row_of(quantity, rows(gains, TARGETS))["why"] == f"no score of ccg in {', '.join(TARGETS)}"


@pytest.mark.parametrize(
    ("threshold", "gain", "found"),
    [({"at_least": 10}, 10.0, "7"), ({"at_least": 10}, 9.9999, "6"), ({"above": 10}, 10.0, "6")],
)
def test_gains_are_counted_where_every_task_reaches_the_threshold(
    threshold: dict[str, float], gain: float, found: str
) -> None:
    tasks = ["bucc2018", "tatoeba"]
    quantity = {"function": "count_gains", "recipes": NINE, "tasks": tasks, **threshold}
    gains = dict.fromkeys(NINE[:6], 12.0) | {"ccg": gain, "cosmosqa": 3.0, "csqa": 30.0}
    scores = collect([rows(gains | {"csqa": 9}, tasks[:1]), rows(gains, tasks[1:])])
    row = row_of(quantity, scores, relation="at_least", expected=7, unit="recipes")
    assert (row["found"], row["verdict"]) == (found, REPRODUCED if found == "7" else NOT_REPRODUCED)
    assert "csqa +9.0 (the smallest over the tasks)" in row["why"]
    scores = scores[~((scores["task"] == "tatoeba") & (scores["intermediate"] == "qqp"))]
    assert row_of(quantity, scores)["why"] == "no score of qqp in tatoeba"


def test_the_best_recipe_is_chosen_on_one_split_and_measured_on_another() -> None:
    quantity = {"function": "best_recipe_gain", "recipes": ["mnli", "qqp"], "tasks": ["xnli", "mlqa"]}
    quantity |= {"split": "test", "metrics": {"mlqa": ["f1", "exact_match"]}}
    parts = [
        rows({"mnli": 1, "qqp": 2}, ["xnli"]),
        rows({"mnli": 9, "qqp": 4}, ["xnli"], split="test"),
        rows({"mnli": 3, "qqp": 2}, ["mlqa"], metrics=2),
        rows({"mnli": 6, "qqp": 9}, ["mlqa"], split="test", metrics=2),
    ]
    row = row_of(quantity, collect(parts), expected=5)
    assert (row["found"], row["verdict"], row["why"]) == ("5", REPRODUCED, "xnli: qqp +4.0, mlqa: mnli +6.0")
    assert row_of(quantity, collect(parts), expected=5.0001)["verdict"] == NOT_REPRODUCED
    row = row_of(quantity, collect([parts[0], parts[2]]))
    assert row["verdict"] == NOT_RUN
    assert row["why"] == "no score of qqp in xnli (test); no score of mnli in mlqa (test)"


def test_the_difference_of_gains() -> None:
    quantity = {"function": "gain_difference", "tasks": ["xnli", "tatoeba"]}
    quantity |= {"pairs": [PAIRS[0:2], PAIRS[2:4], PAIRS[4:6]]}
    gains = dict(zip(PAIRS, (3, 1, 3, 3, 3, 4.9999), strict=True))
    tasks = ["xnli", "tatoeba"]
    row = row_of(quantity, rows(gains, tasks), relation="above")
    assert (row["found"], row["verdict"]) == ("0.000033", REPRODUCED)
    assert judged(quantity, rows(gains | {PAIRS[5]: 5}, tasks), relation="above") == ("0", NOT_REPRODUCED)
    del gains["cmlm+squad2"]
    assert row_of(quantity, rows(gains, tasks))["why"] == "no score of cmlm+squad2 in xnli, tatoeba"


# What a run may speak about


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"miniature": True}, "the run test is a miniature: its numbers say nothing about XLM-R Large"),
        (
            {"models": {"tiny": "", "base": "a/b"}},
            f"no model of the run test starts from {LARGE}: tiny (its own), base (a/b)",
        ),
    ],
)
def test_a_claim_about_the_model_needs_the_model(changes: dict[str, Any], why: str) -> None:
    row = row_of(MEAN, rows({"squad2": 8.2}, TARGETS), facts(**changes), expected=8.2)
    assert (row["found"], row["verdict"], row["why"]) == ("", NOT_RUN, why)


def test_a_model_of_another_size_is_not_the_model() -> None:
    row = row_of(MEAN, rows({"squad2": 8.2}, TARGETS, parameters=12_000), expected=8.2)
    assert row["verdict"] == NOT_RUN
    assert row["why"] == "large has 12,000 parameters, and XLM-R Large about 559,000,000"


def test_other_models_of_the_run_are_not_looked_at() -> None:
    scores = collect(
        [rows({"squad2": 8.2}, TARGETS), rows({"squad2": 1}, TARGETS, model="tiny", parameters=1)]
    )
    run = facts(models={"tiny": "", "large": LARGE})
    assert judged(MEAN, scores, run, expected=8.2) == ("8.2", REPRODUCED)


def test_no_miniature_reproduces_a_claim_about_the_model() -> None:
    gains = dict.fromkeys([*NINE, ALL_NINE, *PAIRS, "squad1_mt"], 8.0)
    scores = rows(gains, TARGETS)
    for run in (facts(miniature=True), facts(models={"large": ""})):
        table = evaluate(Evidence(load(FILE), run, scores))
        paper = table[table["tier"] == "paper"]
        assert len(paper) == 11
        assert set(paper["verdict"]) == {NOT_RUN}


def test_every_claim_is_evaluated_where_all_is_there() -> None:
    gains = dict.fromkeys(NINE, 0.5) | {"squad2": 8.2, "mnli": 7.5, "hellaswag": 7.0, ALL_NINE: 8.7}
    gains |= {"cmlm+mnli": 1.0, "cmlm+squad2": 1.0, "cmlm+hellaswag": 1.0, "squad1_mt": 0.1}
    tables = [rows(gains, [task], metrics=2) for task in TARGETS]
    for task in TARGETS:  # in some languages the test split is what is scored anyway
        other = rows(gains, [task], metrics=2, split="test")
        tables.append(other[~other["language"].isin(languages_scored_on_test(task))])
    locked = {
        "anli/train": {"en": 162865}, "mnli/train": {"en": 392702}, "snli/train": {"en": 549367},
        "squad2/train": {"en": 130319},
    }  # fmt: skip
    table = evaluate(Evidence(load(FILE), facts(locked=locked), collect(tables)))
    verdicts = dict(zip(table["id"], table["verdict"], strict=True))
    failing = {"retrieval_gains", "xnli_gain", "best_models_gain"}
    assert {name for name, verdict in verdicts.items() if verdict == NOT_REPRODUCED} == failing
    assert {name for name, verdict in verdicts.items() if verdict == NOT_RUN} == set()
    assert len(table) == 20


def test_the_starting_model_is_a_share() -> None:
    quantity = {"function": "starting_model"}
    assert judged(quantity, expected=1) == ("1", REPRODUCED)
    row = row_of(quantity, run=facts(models={"large": LARGE, "base": "a/b"}), expected=1)
    assert (row["found"], row["verdict"], row["why"]) == ("0.5", NOT_REPRODUCED, "the others: base")
    assert judged(quantity, run=facts(models={"base": "a/b"})) == ("", NOT_RUN)


CONFIGURATION: dict[str, Any] = {"tier": "configuration"}


def test_target_tasks_are_those_that_the_registry_has_of_xtreme(monkeypatch: pytest.MonkeyPatch) -> None:
    quantity = {"function": "target_tasks", "tasks": TARGETS}
    row = row_of(quantity, **CONFIGURATION, expected=9)
    assert (row["found"], row["verdict"], row["why"]) == ("9", REPRODUCED, CONFIGURED)
    assert judged(quantity, **CONFIGURATION, expected=8) == ("9", NOT_REPRODUCED)
    other = {**quantity, "tasks": [*TARGETS[1:], "lareqa"]}
    row = row_of(other, **CONFIGURATION, expected=9)
    assert (row["found"], row["verdict"]) == ("9", NOT_REPRODUCED)
    assert row["why"] == f"{CONFIGURED}; not of XTREME: lareqa; not claimed: xnli"
    more = registry.evaluation_tasks() | {"xnli_2": registry.evaluation_tasks()["xnli"]}
    monkeypatch.setattr(registry, "evaluation_tasks", lambda: more)
    assert judged(quantity, **CONFIGURATION, expected=9) == ("10", NOT_REPRODUCED)


def test_intermediate_tasks_must_be_trained_on_and_be_of_their_types() -> None:
    types = {"span": ["squad1"], "tagging": ["ccg"]}
    quantity = {"function": "intermediate_tasks", "types": types}
    assert judged(quantity, **CONFIGURATION, expected=2) == ("2", REPRODUCED)
    run = facts(stages=[("squad1", "-", "tatoeba")])
    row = row_of(quantity, run=run, **CONFIGURATION)
    assert row["why"] == "the run has no intermediate training on ccg"
    other = {"function": "intermediate_tasks", "types": {"span": ["squad1", "ccg"]}}
    row = row_of(other, **CONFIGURATION, expected=2)
    assert (row["found"], row["verdict"]) == ("1", NOT_REPRODUCED)
    assert row["why"] == f"{CONFIGURED}; ccg is tagging"


def test_languages_per_task() -> None:
    quantity = {"function": "languages_per_task", "tasks": ["xnli", "panx"]}
    row = row_of(quantity, **CONFIGURATION, expected=40)
    assert (row["found"], row["verdict"]) == ("40", REPRODUCED)
    assert row["why"] == f"{CONFIGURED}; xnli 15, panx 40"
    assert judged({**quantity, "tasks": ["tatoeba"]}, **CONFIGURATION, expected=40) == ("36", NOT_REPRODUCED)


def test_tasks_with_training_data() -> None:
    quantity = {"function": "tasks_with_training_data", "tasks": ["bucc2018", "tatoeba"]}
    assert judged(quantity, **CONFIGURATION) == ("0", REPRODUCED)
    run = facts(stages=[("-", "lareqa", "tatoeba")])
    row = row_of(quantity, run=run, **CONFIGURATION)
    assert (row["found"], row["verdict"], row["why"]) == ("1", NOT_REPRODUCED, f"{CONFIGURED}; tatoeba")
    assert judged({**quantity, "tasks": ["tatoeba", "xquad"]}, **CONFIGURATION) == ("1", NOT_REPRODUCED)


def test_a_masked_lm_of_the_runs_own_is_no_public_one() -> None:
    row = row_of({"function": "training_phases"}, run=facts(models={"tiny": ""}), **CONFIGURATION, expected=3)
    assert row["verdict"] == NOT_RUN
    assert row["why"] == "no model of the run starts from a public masked LM: tiny (its own)"


@pytest.mark.parametrize(
    ("changes", "found", "phases"),
    [
        ({}, "3", f"masked LM: large ({LARGE}); intermediate training: anli_plus; target training: mnli"),
        ({"stages": [("qqp-csqa", "mnli", "xnli")]}, "3",
         f"masked LM: large ({LARGE}); intermediate training: qqp-csqa; target training: mnli"),
        ({"stages": [("mnli", "-", "tatoeba")]}, "2",
         f"masked LM: large ({LARGE}); intermediate training: mnli"),
        ({"stages": [("tydiqa_all", "squad1", "xquad"), ("cmlm", "mnli", "xnli"), ("-", "mnli", "xnli")]},
         "2", f"masked LM: large ({LARGE}); target training: mnli"),
        ({"stages": [("-", "-", "tatoeba")]}, "1", f"masked LM: large ({LARGE})"),
    ],
)  # fmt: skip
def test_phases_are_counted_in_the_longest_history_with_english_data(
    changes: dict[str, Any], found: str, phases: str
) -> None:
    row = row_of({"function": "training_phases"}, run=facts(**changes), **CONFIGURATION, expected=3)
    assert (row["found"], row["verdict"]) == (found, REPRODUCED if found == "3" else NOT_REPRODUCED)
    assert row["why"] == f"{CONFIGURED}; {phases}"


def test_what_is_a_fact_of_the_configuration_says_so_and_is_no_result() -> None:
    table = evaluate(Evidence(load(FILE), facts(), pd.DataFrame(columns=SCORE_COLUMNS))).set_index("id")
    configured = table[table["tier"] == "configuration"]
    assert list(configured.index) == [
        "target_tasks", "languages", "retrieval_without_training", "intermediate_tasks", "three_phases",
    ]  # fmt: skip
    assert configured["why"].str.startswith(CONFIGURED).all()
    assert not table.drop(configured.index)["why"].str.contains(CONFIGURED).any()


def leakage(task: str, of: int) -> pd.DataFrame:
    row = {"trained_on": task, "language": "en", "evaluation": "any", "removed": 3, "of": of}
    return pd.DataFrame([row, row | {"evaluation": "xnli"}, row | {"trained_on": "qqp", "of": 5}])


@pytest.mark.parametrize(("more", "verdict"), [(0, REPRODUCED), (1, NOT_REPRODUCED)])
def test_training_examples_are_those_that_were_read_or_locked(more: int, verdict: str) -> None:
    quantity = {"function": "training_examples", "task": "mnli"}
    keys: dict[str, Any] = {"tier": "data", "expected": 392702, "unit": "examples"}
    read = row_of(quantity, leakage=leakage("mnli", 392702 + more), **keys)
    locked = row_of(quantity, run=facts(locked={"mnli/train": {"en": 392702 + more}}), **keys)
    for row, how in ((read, "read by this run"), (locked, "as the data lock counts them")):
        assert (row["found"], row["verdict"]) == (str(392702 + more), verdict)
        assert row["why"] == f"{how}; published are 392,702"


def test_training_examples_that_are_not_there() -> None:
    quantity = {"function": "training_examples", "task": "anli_plus"}
    run = facts(miniature=True, locked={"anli/train": {"en": 162865}}, source="mirror")
    row = row_of(quantity, run=run, leakage=leakage("mnli", 1), tier="data", expected=1104934)
    assert row["verdict"] == NOT_RUN
    assert row["why"] == "the data present hold no mnli/train (en), snli/train (en); published are 1,104,934"
    row = row_of(quantity, run=facts(source="micro"), leakage=leakage("anli_plus", 1104934), tier="data")
    assert row["verdict"] == NOT_RUN
    assert "generated" in row["why"]


def figures(value: float, later: bool = False, **keys: Any) -> dict[str, Any]:
    return {"figures": {"xnli": {"accuracy": value}}, "later": later, **keys}


@pytest.mark.parametrize(
    ("rival", "found", "verdict"), [(79.99, "0.01", REPRODUCED), (80, "0", NOT_REPRODUCED)]
)
def test_a_published_lead_is_the_least_over_the_sources(rival: float, found: str, verdict: str) -> None:
    claims = claims_with({"function": "published_lead", "system": "X-STILTs"}, tier="any", relation="above")
    published = [
        figures(80, system="X-STILTs", source="a"), figures(rival, system="B", source="a"),
        figures(99, system="later", source="a", later=True),
        figures(80, system="X-STILTs", source="b"), figures(10, system="C", source="b"),
    ]  # fmt: skip
    whole = Claims.model_validate(claims.model_dump() | {"published": published})
    row = evaluate(Evidence(whole, facts(), pd.DataFrame(columns=SCORE_COLUMNS))).iloc[0]
    assert (row["found"], row["verdict"]) == (found, verdict)
    assert "higher since: later" in row["why"]
    alone = Claims.model_validate(claims.model_dump() | {"published": [published[0], published[2]]})
    row = evaluate(Evidence(alone, facts(), pd.DataFrame(columns=SCORE_COLUMNS))).iloc[0]
    assert (row["verdict"], row["why"]) == (NOT_RUN, "a has no system before X-STILTs")


def test_both_published_rows_are_named() -> None:
    row = row_of({"function": "published_lead", "system": "X-STILTs"}, tier="any", relation="above")
    assert row["verdict"] == REPRODUCED
    assert "Table 16: X-STILTs 72.7, XLM-R Large 70.1, mean of 7 tasks" in row["why"]
    assert "X-STILTs 76.4, XLM-R 74.0, mean of 6 tasks" in row["why"]


@pytest.mark.parametrize(
    ("relation", "verdicts"),
    [
        ("equal", (NOT_REPRODUCED, REPRODUCED, NOT_REPRODUCED)),
        ("at_least", (NOT_REPRODUCED, REPRODUCED, REPRODUCED)),
        ("above", (NOT_REPRODUCED, NOT_REPRODUCED, REPRODUCED)),
        ("at_most", (REPRODUCED, REPRODUCED, NOT_REPRODUCED)),
        ("below", (REPRODUCED, NOT_REPRODUCED, NOT_REPRODUCED)),
    ],
)
def test_relations(relation: str, verdicts: tuple[str, str, str]) -> None:
    quantity = {"function": "mean_gain", "recipes": ["qqp"], "tasks": ["xnli"]}
    for gain, verdict in zip((-0.0001, 0.0, 0.0001), verdicts, strict=True):
        assert judged(quantity, rows({"qqp": gain}, ["xnli"]), relation=relation)[1] == verdict


# From the workflow


def test_the_facts_of_the_default_run() -> None:
    run = RunFacts.model_validate_json(Jobs(Plan(settings.read(ROOT / "config.yaml"))).run_facts)
    assert (run.name, run.miniature, run.source, run.models) == (
        "micro",
        True,
        "micro",
        {"micro": "", "micro_small": ""},
    )
    assert ("csqa", "udpos", "udpos") in run.stages
    assert run.locked == {}
    assert not run.scores_are_given


def test_a_run_of_published_scores_trains_nothing_and_has_no_data() -> None:
    plan = Plan(settings.read(ROOT / "config.yaml", ROOT / "config/published-tatoeba.yaml"))
    run = RunFacts.model_validate_json(Jobs(plan).run_facts)
    assert (run.models, run.stages, run.scores_are_given) == ({}, [], True)
    table = evaluate(Evidence(load(FILE), run, rows({"squad2": 8.2}, TARGETS))).set_index("id")
    given = "the scores of the run published-tatoeba are published ones"
    assert set(table.loc[table["tier"] == "paper", "why"]) == {f"{given}: no model was trained"}
    assert set(table.loc[table["tier"] == "data", "why"]) == {f"{given}: it has no training data"}
    nothing = "the scores are published ones: nothing was trained"
    assert set(table.loc[["intermediate_tasks", "three_phases"], "why"]) == {nothing}
    reproduced = ["target_tasks", "languages", "retrieval_without_training", "state_of_the_art"]
    assert list(table.index[table["verdict"] == REPRODUCED]) == reproduced
    assert set(table["verdict"]) == {REPRODUCED, NOT_RUN}


def test_the_facts_of_a_mirror_count_what_is_locked() -> None:
    jobs = Jobs(Plan(settings.read(ROOT / "config.yaml", ROOT / "config/mini-cpu.yaml")))
    run = RunFacts.model_validate_json(jobs.run_facts)
    assert run.locked["csqa/train"] == {"en": 7610}
    assert "mnli/train" not in run.locked
