"""From a configuration to cells, checkpoints and what each job gets."""

import itertools
import json
import re
from typing import Any

import pytest
from test_settings import DEFAULT, changed

from xstilts import recipes, settings
from xstilts.errors import ConfigError, RecipeError, RegistryError, XstiltsError
from xstilts.job_settings import RetrievalPredictionJob, TaskPredictionJob
from xstilts.jobs import Jobs
from xstilts.plan import Plan


def plan_of(texts: list[str], tasks: list[str], **keys: Any) -> Plan:
    """The plan of one block of scores and no study."""
    config = changed("run.studies", [])
    config["run"]["evaluations"] = [{"recipes": texts, "tasks": tasks}]
    for key, value in keys.items():
        section, name = key.split("__")
        config[section][name] = value
    return Plan(settings.load(config))


def test_six_orders_of_three_tasks_are_fifteen_stages() -> None:
    orders = ["-".join(order) for order in itertools.permutations(["csqa", "mnli", "squad1"])]
    stages = [found for found in plan_of(orders, ["tatoeba"]).checkpoints if found[1] not in recipes.RESERVED]
    assert len(stages) == 15


def test_retrieval_is_scored_straight_away_beside_the_untrained_encoder() -> None:
    cells = plan_of(["mlm", "mnli"], ["tatoeba"], run__seeds=[3, 4]).cells
    found = [(cell.recipe, cell.seed, cell.intermediate, cell.target) for cell in cells]
    assert found == [
        ("mlm", 0, "-", "-"),
        ("mnli", 3, "mnli", "-"),
        ("mnli", 4, "mnli", "-"),
        ("untrained", 0, "-", "-"),
    ]


def test_a_task_with_training_data_is_trained_on_before() -> None:
    cells = plan_of(["mlm", "squad1"], ["xnli"], run__seeds=[3]).cells
    assert [(cell.recipe, cell.intermediate, cell.target) for cell in cells] == [
        ("mnli", "-", "mnli"),
        ("squad1-mnli", "squad1", "mnli"),
    ]


def test_targets_may_be_stood_in_for() -> None:
    plan = plan_of(["csqa"], ["xnli"], run__targets={"xnli": "mnli_dev+squad1"})
    assert [cell.recipe for cell in plan.cells] == ["csqa-mnli_dev+squad1"]
    assert plan.head("csqa-mnli_dev+squad1", "xnli") == "mnli_dev"


def test_equivalent_recipes_are_one() -> None:
    assert len(plan_of(["mnli+csqa", "csqa+mnli"], ["tatoeba"]).checkpoints) == 3


@pytest.mark.parametrize(
    ("texts", "tasks", "keys", "error", "message"),
    [
        (["mlm"], ["sonnets"], {}, ConfigError, "sonnets"),
        (["limericks"], ["tatoeba"], {}, RecipeError, "limericks"),
        (["mnli--csqa"], ["tatoeba"], {}, RecipeError, "position"),
        (["untrained"], ["xnli"], {}, RecipeError, "stands alone"),
        (["mlm"], ["tatoeba"], {"run__models": ["huge"]}, ConfigError, "huge"),
        (["mlm"], ["tatoeba"], {"run__languages": ["xx"]}, RegistryError, "xx"),
        (["mlm"], ["tatoeba"], {"run__languages": ["de", "de"]}, RegistryError, "twice"),
        (["mlm"], ["tatoeba"], {"run__targets": {"sonnets": "mnli"}}, ConfigError, "sonnets"),
        (["mlm"], ["xnli"], {"run__targets": {"xnli": "limericks"}}, RecipeError, "limericks"),
        (["mlm"], ["xnli"], {"run__targets": {"xnli": "squad1"}}, ConfigError, "no head of 'squad1'"),
        (["mlm"], ["tatoeba"], {"training__epochs": {"*": 1, "*/*/mnil": 2}}, ConfigError, "mnil"),
        (["mlm"], ["tatoeba"], {"run__threads": {"*": 1, "huge/*/*": 2}}, ConfigError, "huge"),
        (["mlm"], ["tatoeba"], {"training__epochs": {"*": 1, "*/b+/*": 2}}, RecipeError, "parse"),
        (["mlm"], ["tatoeba"], {"training__epochs": {"*": 1, "*/mnli+csqa/*": 2}}, ConfigError, "mnli.csqa"),
    ],
)
def test_what_is_not_there_is_named(
    texts: list[str], tasks: list[str], keys: dict[str, Any], error: type[XstiltsError], message: str
) -> None:
    with pytest.raises(error, match=message) as caught:
        plan_of(texts, tasks, **keys)
    assert caught.value.where


def test_a_stage_shares_the_smallest_values_and_keeps_each_task_its_own() -> None:
    plan = plan_of(
        ["csqa+squad1@50"],
        ["tatoeba"],
        training__learning_rate={"*": 1e-3, "*/*/squad1": 1e-4},
        training__max_length={"*": 64, "*/*/squad1": 96},
    )
    stage = plan.stage_settings("micro", "csqa+squad1@50")
    assert stage.learning_rate == 1e-4
    assert (stage.parts["csqa"].max_length, stage.parts["squad1"].max_length) == (64, 96)
    assert (stage.parts["csqa"].examples, stage.parts["squad1"].examples) == (None, 50)
    assert stage.parts["csqa"].max_answer is None
    assert stage.parts["squad1"].max_answer == plan.settings.prediction.max_answer


def test_jobs_get_what_they_read_back() -> None:
    plan = plan_of(["mlm", "squad1"], ["tatoeba", "xnli"])
    jobs = Jobs(plan)
    found = TaskPredictionJob.model_validate_json(jobs.prediction_settings("micro", "squad1-mnli", "xnli"))
    assert (found.head, found.max_answer) == ("mnli", None)
    retrieval = RetrievalPredictionJob.model_validate_json(
        jobs.prediction_settings("micro", "mlm", "tatoeba")
    )
    assert retrieval.pool == plan.settings.retrieval.pool


def test_pretraining_steps_may_vary_by_model() -> None:
    plan = plan_of(["mlm"], ["tatoeba"], pretraining__steps={"*": 10, "micro/*/*": 20})
    assert plan.pretraining_settings("micro").steps == 20


def test_continued_masked_lm_is_a_stage_of_its_own() -> None:
    plan = plan_of(["mnli-cmlm-squad1", "cmlm"], ["tatoeba"], pretraining__steps={"*": 100, "*/*/cmlm": 7})
    continued = [recipe for _, recipe, _ in plan.checkpoints if plan.is_continued(recipe)]
    assert continued == ["cmlm", "mnli-cmlm"]
    assert plan.pretraining_settings("micro", "mnli-cmlm").steps == 7
    assert plan.pretraining_settings("micro").steps == 100
    assert plan.training_tasks == ["mnli", "squad1"]
    for text in ("cmlm+mnli", "cmlm@100"):
        with pytest.raises(RecipeError, match="a stage of its own"):
            plan_of([text], ["tatoeba"])


def test_a_study_is_given_the_names_that_the_scores_have() -> None:
    config = changed("studies.typology.recipes", ["mlm", "udpos+mnli", "mnli+udpos"])
    jobs = Jobs(Plan(settings.load(config)))
    assert json.loads(jobs.typology_settings)["recipes"] == ["mlm", "mnli+udpos"]
    assert json.loads(jobs.typology_settings)["models"] == ["micro"]


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("run.languages", ["en", "de", "br"], "no tatoeba/test in br"),
        ("training.max_length", 512, "exceed the 256 positions"),
        ("pretraining.max_length", 512, "exceed the 256 positions"),
        ("run.evaluations", [{"recipes": ["snli_dev"], "tasks": ["tatoeba"]}], "no snli/dev in en"),
        ("run.evaluations", [{"recipes": ["mlm"], "tasks": ["xquad"]}], "no xquad/test"),
    ],
)
def test_what_the_source_or_the_model_lacks_is_said_before_any_job(
    key: str, value: Any, message: str
) -> None:
    jobs = Jobs(Plan(settings.load(changed(key, value))))
    with pytest.raises(XstiltsError, match=message):
        jobs.validate()


def test_what_a_job_gets_of_a_task_is_what_it_reads() -> None:
    jobs = Jobs(Plan(settings.read(DEFAULT)))
    assert set(json.loads(jobs.prediction_entry("xnli"))) == {"type", "labels", "data"}
    assert set(json.loads(jobs.scoring_entry("xnli"))) == {"type", "labels", "data", "metrics"}


@pytest.mark.parametrize(
    ("text", "trained", "continued"),
    [
        ("csqa", True, False),
        ("csqa@50-mnli+squad1", True, False),
        ("cmlm-csqa", True, False),
        ("csqa-cmlm", False, True),
        ("cmlm", False, True),
        ("mlm", False, False),
        ("untrained", False, False),
        ("csqa--mnli", False, False),
        ("csqa-nothing", False, False),
        ("csqa@0", False, False),
    ],
)
def test_a_rule_makes_the_recipes_of_its_kind(text: str, trained: bool, continued: bool) -> None:
    jobs = Jobs(Plan(settings.read(DEFAULT)))
    assert bool(re.fullmatch(jobs.trained_pattern, text)) == trained
    assert bool(re.fullmatch(jobs.continued_pattern, text)) == continued
    assert bool(re.fullmatch(jobs.recipe_pattern, text)) == (trained or continued or text in recipes.RESERVED)


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("models", ["large"], "model of the run 'large'"),
        ("tasks", ["tatoeba", "xnli"], "retrieval task 'xnli'"),
    ],
)
def test_the_typology_study_reads_what_there_is(key: str, value: list[str], message: str) -> None:
    config = changed(f"studies.typology.{key}", value)
    config["studies"]["typology"]["metrics"]["xnli"] = "accuracy"
    with pytest.raises(ConfigError, match=message):
        Plan(settings.load(config))
