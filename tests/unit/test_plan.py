"""From a configuration to cells, checkpoints and what each job gets."""

import itertools
import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from test_settings import DEFAULT, ROOT, changed

from xstilts import fingerprint, recipes, registry, settings
from xstilts.errors import ConfigError, DataError, RecipeError, RegistryError, XstiltsError
from xstilts.job_settings import (
    MiningPredictionJob,
    PoolPredictionJob,
    RetrievalPredictionJob,
    TaskPredictionJob,
)
from xstilts.jobs import Jobs
from xstilts.micro.generate import DATASETS as MICRO_DATASETS
from xstilts.plan import Plan
from xstilts.preconditions import Preconditions
from xstilts.registry import Holdout, Split
from xstilts.studies.settings import TypologyJob
from xstilts.study_jobs import StudyJobs


def small(key: str, value: Any) -> dict[str, Any]:
    """The default configuration with one model, seed and study, and one key set."""
    config = changed("run.models", ["micro"])
    config["run"] |= {"seeds": [1], "studies": ["typology"]}
    config["studies"]["typology"] |= {"metrics": {}, "retrieval_settings": {}, "splits": {}, "models": []}
    *path, last = key.split(".")
    section = config
    for part in path:
        section = section[part]
    section[last] = value
    return config


def plan_of(texts: list[str], tasks: list[str], **keys: Any) -> Plan:
    """The plan of one block of scores and no study."""
    config = small("run.studies", [])
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


def test_a_dual_encoder_is_trained_and_then_ranks_one_pool() -> None:
    plan = plan_of(
        ["mlm", "squad1"], ["lareqa"], run__seeds=[3], training__embedding={"*": "mean", "*/*/lareqa": "cls"}
    )
    assert [(cell.recipe, cell.intermediate, cell.target) for cell in plan.cells] == [
        ("lareqa", "-", "lareqa"),
        ("squad1-lareqa", "squad1", "lareqa"),
    ]
    assert (plan.controlled_tasks, plan.retrieval_tasks) == (["lareqa"], [])
    assert plan.stage_settings("micro", "squad1-lareqa").parts["lareqa"].embedding == "cls"
    assert plan.stage_settings("micro", "squad1").parts["squad1"].embedding is None
    jobs = Jobs(plan)
    found = PoolPredictionJob.model_validate_json(
        jobs.prediction_settings("micro", "squad1-lareqa", "lareqa")
    )
    assert (found.head, found.embedding) == ("lareqa", "cls")
    assert jobs.prediction_script("lareqa") == "scripts/predict_pool.py"
    ordinary = plan_of(["squad1"], ["lareqa"])
    assert Jobs(ordinary).stage_code("squad1") != Jobs(ordinary).stage_code("lareqa")
    stood_in = plan_of(["mlm"], ["lareqa"], run__targets={"lareqa": "lareqa_dev"})
    assert stood_in.head("lareqa_dev", "lareqa") == "lareqa_dev"


def test_a_pool_of_all_languages_may_be_studied_but_not_be_primary() -> None:
    config = small("studies.typology.tasks", ["tatoeba", "lareqa"])
    assert "lareqa" in Plan(settings.load(config)).controlled_tasks
    config["studies"]["typology"]["primary_task"] = "lareqa"
    with pytest.raises(ConfigError, match="lareqa"):
        Plan(settings.load(config))


def test_jobs_get_what_they_read_back() -> None:
    plan = plan_of(["mlm", "squad1"], ["tatoeba", "xnli"])
    jobs = Jobs(plan)
    found = TaskPredictionJob.model_validate_json(jobs.prediction_settings("micro", "squad1-mnli", "xnli"))
    assert (found.head, found.max_answer) == ("mnli", None)
    retrieval = RetrievalPredictionJob.model_validate_json(
        jobs.prediction_settings("micro", "mlm", "tatoeba")
    )
    assert (retrieval.pool, retrieval.neighbours) == (plan.settings.retrieval.pool, None)


def test_mining_goes_by_margin_in_both_directions() -> None:
    plan = plan_of(["mlm"], ["bucc2018", "tatoeba"], retrieval__similarity="margin", retrieval__neighbours=3)
    assert [(cell.recipe, cell.task) for cell in plan.cells] == [
        ("mlm", "bucc2018"), ("mlm", "tatoeba"), ("untrained", "bucc2018"), ("untrained", "tatoeba"),
    ]  # fmt: skip
    assert (plan.controlled_tasks, plan.retrieval_tasks) == (["bucc2018", "tatoeba"], ["tatoeba"])
    assert plan.languages("bucc2018") == ["de", "fr", "ru", "zh"]
    jobs = Jobs(plan)
    mining = MiningPredictionJob.model_validate_json(jobs.prediction_settings("micro", "mlm", "bucc2018"))
    retrieval = plan.prediction_settings("micro", "mlm", "tatoeba")
    assert (mining.neighbours, mining.setting(7)) == (3, "7-mean-max-margin")
    assert isinstance(retrieval, RetrievalPredictionJob)
    assert (retrieval.neighbours, retrieval.setting(7)) == (3, "7-mean-en2xx-margin")
    folder = "results/micro/predictions/micro/mlm/seed0/bucc2018"
    files = jobs.predictions("micro", "mlm", 0, "bucc2018")
    assert files[:2] == [f"{folder}/dev-de.tsv", f"{folder}/dev-de.trec.gz"]
    assert len(files) == 8
    assert jobs.stamp_files("bucc2018")[0].endswith("/bucc2018/dev-de.tsv.stamp.json")
    both = Jobs(plan_of(["mlm"], ["bucc2018", "tatoeba", "lareqa", "xnli"]))
    assert both.sweep_files == [f"results/micro/sweeps/micro/{task}.tsv" for task in ("bucc2018", "tatoeba")]


def test_a_threshold_is_part_of_what_mining_predicts() -> None:
    jobs = Jobs(plan_of(["mlm"], ["bucc2018", "tatoeba"]))
    alone = fingerprint.code_hash("scripts/predict_mining.py", "xstilts.data.formats.bucc")
    assert jobs.prediction_code("bucc2018") != alone
    retrieval = fingerprint.code_hash("scripts/predict_retrieval.py", "xstilts.data.formats.tatoeba")
    assert jobs.prediction_code("tatoeba") == retrieval


def test_pretraining_steps_may_vary_by_model() -> None:
    plan = plan_of(["mlm"], ["tatoeba"], pretraining__steps={"*": 10, "micro/*/*": 20})
    assert plan.pretraining_settings("micro").steps == 20


def test_continued_masked_lm_is_a_stage_of_its_own_or_part_of_one() -> None:
    plan = plan_of(["mnli-cmlm-squad1", "cmlm"], ["tatoeba"], pretraining__steps={"*": 100, "*/*/cmlm": 7})
    continued = [recipe for _, recipe, _ in plan.checkpoints if plan.is_continued(recipe)]
    assert continued == ["cmlm", "mnli-cmlm"]
    assert plan.pretraining_settings("micro", "mnli-cmlm").steps == 7
    assert plan.pretraining_settings("micro").steps == 100
    assert plan.training_tasks == ["mnli", "squad1"]
    mixed = plan_of(["cmlm+mnli"], ["tatoeba"], pretraining__steps={"*": 100, "*/*/cmlm": 7})
    assert not mixed.is_continued("cmlm+mnli") and mixed.training_tasks == ["mnli"]
    stage = mixed.stage_settings("micro", "cmlm+mnli")
    assert set(stage.parts) == {"mnli"} and stage.masked_lm is not None and stage.masked_lm.steps == 7
    jobs = Jobs(mixed)
    assert jobs.training_files("cmlm+mnli", "dev") == ["results/micro/data/training/mnli/dev.jsonl"]
    assert jobs.mixed_text("cmlm+mnli") and not jobs.mixed_text("mnli") and jobs.reads_corpus
    with pytest.raises(RecipeError, match="no cap"):
        plan_of(["cmlm@100+mnli"], ["tatoeba"])


def test_a_study_is_given_the_names_that_the_scores_have() -> None:
    config = small("studies.typology.recipes", ["mlm", "udpos+mnli", "mnli+udpos"])
    job = Plan(settings.load(config)).study_job("typology")
    assert isinstance(job, TypologyJob)
    assert (job.recipes, job.models) == (["mlm", "mnli+udpos"], ["micro"])


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("run.languages", ["en", "de", "br"], "no tatoeba/test in br"),
        ("training.max_length", 512, "exceed the 256 positions"),
        ("pretraining.max_length", 512, "exceed the 256 positions"),
        ("run.evaluations", [{"recipes": ["mrpc"], "tasks": ["tatoeba"]}], "no mrpc/train in en"),
    ],
)
def test_what_the_source_or_the_model_lacks_is_said_before_any_job(
    key: str, value: Any, message: str
) -> None:
    jobs = Jobs(Plan(settings.load(small(key, value))))
    with pytest.raises(XstiltsError, match=message):
        Preconditions(jobs).validate()


def test_what_a_job_gets_of_a_task_is_what_it_reads() -> None:
    jobs = Jobs(Plan(settings.read(DEFAULT)))
    assert set(json.loads(jobs.prediction_entry("xnli"))) == {"type", "labels", "data", "tune", "cap"}
    scored = {"type", "labels", "data", "tune", "cap", "metrics", "normalisation"}
    assert set(json.loads(jobs.scoring_entry("xnli"))) == scored


def test_a_rule_makes_the_recipes_of_its_kind_and_of_the_plan_alone() -> None:
    jobs = Jobs(plan_of(["mlm", "csqa@50-mnli+squad1", "csqa-cmlm+mnli", "cmlm-csqa-cmlm"], ["tatoeba"]))
    trained = ["cmlm-csqa", "csqa", "csqa-cmlm+mnli", "csqa@50", "csqa@50-mnli+squad1"]
    assert jobs.trained_recipes == trained
    assert jobs.continued_recipes == ["cmlm", "cmlm-csqa-cmlm"]
    assert set(jobs.recipes) == {*trained, "cmlm", "cmlm-csqa-cmlm", *recipes.RESERVED}
    assert jobs.recipes_of("tatoeba") == sorted(set(jobs.recipes) - {"cmlm", "cmlm-csqa", "csqa", "csqa@50"})
    constraint = jobs.any_of(jobs.trained_recipes)
    for text, known in (("csqa@50-mnli+squad1", True), ("csqa@50-squad1+mnli", False), ("mnli", False)):
        assert bool(re.fullmatch(constraint, text)) == known


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("metrics", {"tatoeba": "f1"}, "metric of tatoeba 'f1'"),
        ("metrics", {"nothing": "f1"}, "task of the study 'nothing'"),
        ("retrieval_settings", {"bucc2018": "7-cls"}, "task of the study 'bucc2018'"),
        ("splits", {"nothing": "dev"}, "task of the study 'nothing'"),
        ("models", ["micro", "micro"], "models names something twice"),
    ],
)
def test_no_misprint_in_a_study_becomes_a_verdict(key: str, value: Any, message: str) -> None:
    config = small("run.name", "micro")
    own = config["studies"]["typology"]
    own[key] = own[key] | value if isinstance(value, dict) else value
    with pytest.raises(ConfigError, match=message):
        Plan(settings.load(config))


def test_size_and_fertility_are_those_of_each_model() -> None:
    config = small("run.models", ["micro", "other"])
    config["models"]["other"] = {"source": "folder", "folder": "other"}
    config["studies"]["typology"]["models"] = ["micro", "other"]
    plan = Plan(settings.load(config))
    assert plan.study_job("typology").pretrained == ["micro"]
    assert StudyJobs(Jobs(plan)).fertility("typology") == [
        "results/micro/fertility/micro.tsv",
        "results/micro/fertility/other.tsv",
    ]


def test_equal_pools_are_of_the_primary_cell_in_every_seed() -> None:
    config = small("run.seeds", [1, 2])
    assert StudyJobs(Jobs(Plan(settings.load(config)))).equal_pools == [
        "results/micro/scores/equal_pools/micro/mlm/seed0/tatoeba.tsv"
    ]
    config["studies"]["typology"]["primary_recipe"] = "mnli"
    assert StudyJobs(Jobs(Plan(settings.load(config)))).equal_pools == [
        f"results/micro/scores/equal_pools/micro/mnli/seed{seed}/tatoeba.tsv" for seed in (1, 2)
    ]


def test_only_what_is_read_in_windows_depends_on_their_overlap() -> None:
    before, after = (
        Plan(settings.load(small("training.stride", stride))).stage_settings("micro", recipe)
        for stride, recipe in ((30, "mnli"), (31, "mnli"))
    )
    assert before == after
    assert (
        Plan(settings.load(small("training.stride", 31)))
        .stage_settings("micro", "squad1")
        .parts["squad1"]
        .stride
        == 31
    )


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("models", ["large"], "model of the run 'large'"),
        ("tasks", ["tatoeba", "xnli"], "retrieval task 'xnli'"),
    ],
)
def test_the_typology_study_reads_what_there_is(key: str, value: list[str], message: str) -> None:
    config = small(f"studies.typology.{key}", value)
    with pytest.raises(ConfigError, match=message):
        Plan(settings.load(config))


def test_the_primary_task_of_the_typology_study_ranks_candidates() -> None:
    config = small("studies.typology.tasks", ["tatoeba", "bucc2018"])
    Plan(settings.load(config))
    config["studies"]["typology"]["primary_task"] = "bucc2018"
    with pytest.raises(ConfigError, match="unknown retrieval task 'bucc2018'"):
        Plan(settings.load(config))


def jobs_of(recipe: str, **keys: Any) -> Jobs:
    return Jobs(plan_of([recipe], ["tatoeba"], **keys))


MIRROR: dict[str, Any] = {
    "data__source": "mirror",
    "data__mirror": "nowhere",
    "data__lock": str(ROOT / "data.lock"),
}
MIRROR |= {"run__languages": ["en", "de", "th"]}


def test_what_is_licensed_is_said_before_any_job_and_may_be_left_out() -> None:
    for keys in (MIRROR, {**MIRROR, "data__lock": None}):
        with pytest.raises(DataError, match=r"no ccg/train in en, which ccg needs") as raised:
            Preconditions(jobs_of("ccg", **keys)).validate()
        assert "Linguistic Data Consortium" in raised.value.hint
        assert "data.folders.ccg" in raised.value.hint
        assert raised.value.hint.endswith("or leave it out: run.without: [ccg]")
    left = plan_of(["csqa", "ccg", "ccg-csqa", "ccg+mnli"], ["tatoeba"], run__without=["ccg"])
    assert {cell.recipe for cell in left.cells} == {"csqa", "untrained"}
    assert left.left_out == ["ccg", "ccg+mnli", "ccg-csqa"]
    Preconditions(Jobs(left)).validate()
    assert plan_of(["csqa", "ccg"], ["tatoeba"]).left_out == []


NOT_IN_MICRO = {
    **dict.fromkeys(("sick", "mrpc"), "stands in for mnli and qqp in a mirror without them"),
    "pawsx_test": "stands in for pawsx in a mirror without its training file",
    "squad2_dev": "is of half of SQuAD 2.0's development set, a mirror's part of squad2",
    "hellaswag_sample": "is of a sample of hellaswag that a mirror has in its place",
    "mnli_mt": "is XNLI's published translation of mnli, one more task of its kind and languages",
    "siqa_dev": "is of siqa's development set with the answers as texts, as one mirror has it",
}
"""Why some training tasks have no data in micro-XTREME: other files in place of data that it has."""


def test_every_task_can_be_planned_from_micro_but_for_stand_ins() -> None:
    for task in registry.evaluation_tasks():
        Preconditions(Jobs(plan_of(["mlm"], [task]))).validate()
    for task in registry.training_tasks():
        jobs = Jobs(plan_of([task], ["tatoeba"]))
        if task in NOT_IN_MICRO:
            with pytest.raises(DataError, match=r"micro-XTREME has no .*, which .* needs"):
                Preconditions(jobs).validate()
        else:
            Preconditions(jobs).validate()
    parsers = {registry.datasets()[name].format for name in MICRO_DATASETS}
    stand_ins = [split for task in NOT_IN_MICRO for split in registry.training_tasks()[task].splits]
    parsers |= {registry.datasets()[split.dataset].format for split in stand_ins}
    assert parsers == {entry.format for entry in registry.datasets().values()}


def test_data_sets_of_one_folder_are_generated_together() -> None:
    jobs = jobs_of("mewslix")
    assert jobs.micro_folders["mewslix"] == ["mewslix", "mewslix_pairs"]
    assert jobs.training_inputs("mewslix") == [f"{jobs.folder}/source/mewslix"]
    assert jobs.training_inputs("ccg") == [f"{jobs.folder}/source/data"]


def test_a_language_may_be_left_out_of_one_task() -> None:
    plan = plan_of(["mlm"], ["tatoeba", "xnli"], run__without=["xnli/th"])
    assert "th" in plan.languages("tatoeba")
    assert "th" not in plan.languages("xnli")
    with pytest.raises(DataError, match=r"data.lock has no panx/dev in th") as raised:
        Preconditions(Jobs(plan_of(["mlm"], ["panx"], **MIRROR))).validate()
    assert raised.value.hint.endswith("or leave it out: run.without: [panx/th]")
    Preconditions(Jobs(plan_of(["mlm"], ["panx"], run__without=["panx/th"], **MIRROR))).validate()


@pytest.mark.parametrize(
    ("without", "message"),
    [
        (["cgc"], "unknown task 'cgc'"),
        (["mnli/de"], "unknown task 'mnli/de'"),
        (["xnli/deu"], "unknown language of xnli in this run 'xnli/deu'"),
        (["xnli/fi"], "unknown language of xnli in this run 'xnli/fi'"),
        (["mnli"], "'mnli' is needed and cannot be left out"),
    ],
)
def test_what_is_left_out_must_exist_and_not_be_needed(without: list[str], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        plan_of(["mlm"], ["xnli"], run__without=without)


def test_a_study_goes_without_too_but_not_without_its_primary_recipe() -> None:
    config = small("run.without", ["squad1"])
    config["run"]["evaluations"] = []
    job = Plan(settings.load(config)).study_job("typology")
    assert isinstance(job, TypologyJob) and job.recipes == ["mlm", "csqa", "mnli", "udpos"]
    config["studies"]["typology"]["primary_recipe"] = "squad1"
    with pytest.raises(ConfigError, match="'squad1' is needed"):
        Plan(settings.load(config))


def test_a_data_set_in_a_folder_of_its_own_is_noticed_and_checked(tmp_path: Path) -> None:
    file = tmp_path / "data" / "AUTO" / "02" / "wsj_0201.auto"
    for section in ("00", "02", "11", "20"):
        path = tmp_path / "data" / "AUTO" / section / f"wsj_{section}01.auto"
        path.parent.mkdir(parents=True)
        path.write_text(section, encoding="utf-8")
    jobs = jobs_of("ccg", data__folders={"ccg": str(tmp_path)})
    Preconditions(jobs).validate()
    before = jobs.training_locks("ccg")
    assert sorted(before) == [f"data/AUTO/{n}/wsj_{n}01.auto" for n in ("00", "02", "11", "20")]
    file.write_text("other", encoding="utf-8")
    assert {path for path, sha in jobs.training_locks("ccg").items() if sha != before[path]} == {
        "data/AUTO/02/wsj_0201.auto"
    }
    Preconditions(jobs).check_data()
    shutil.rmtree(tmp_path / "data" / "AUTO" / "20")
    with pytest.raises(DataError, match=r"(?s)files at fault: 1.*2\[01\].*is missing"):
        Preconditions(jobs).check_data()


def test_test_splits_are_scored_where_asked_for_and_development_splits_selected_on() -> None:
    tasks = ["pawsx", "tydiqa", "udpos", "xnli"]
    dev, test = (plan_of(["mlm"], tasks, run__split=split) for split in ("dev", "test"))
    assert [dev.task(task).data.of("en") for task in tasks] == ["dev"] * 4
    assert [test.task(task).data.of("en") for task in tasks] == ["test", "dev", "test", "test"]
    assert isinstance(dev.training_task("pawsx").dev, Holdout)
    assert test.training_task("pawsx").dev == [Split(dataset="pawsx", split="dev")]
    assert isinstance(test.training_task("tydiqa").dev, Holdout), "its development set is scored in both"
    jobs = Jobs(test)
    Preconditions(jobs).validate()
    assert jobs.predictions("micro", "mnli", 1, "xnli")[0].endswith("/xnli/test-en.tsv")
    assert json.loads(jobs.training_entry("udpos"))["dev"] == [{"dataset": "udpos", "split": "dev"}]
    with pytest.raises(DataError, match=r"data.lock has no xnli/test in en, de") as raised:
        Preconditions(Jobs(plan_of(["mlm"], ["xnli"], run__split="test", **MIRROR))).validate()
    assert "run.split: dev" in raised.value.hint


def test_no_language_is_lost_for_want_of_a_development_file() -> None:
    keys = {**MIRROR, "run__languages": ["de", "kk", "th", "tl", "yo"]}
    jobs = Jobs(plan_of(["mlm"], ["udpos"], **keys))
    Preconditions(jobs).validate()
    assert list(jobs.evaluation_locks("udpos")) == [
        "udpos/dev-de.tsv", *(f"udpos/test-{code}.tsv" for code in ("kk", "th", "tl", "yo")),
    ]  # fmt: skip
    files = [path.rsplit("/", 1)[1] for path in jobs.predictions("micro", "udpos", 1, "udpos")]
    assert files == ["dev-de.tsv", "test-kk.tsv", "test-th.tsv", "test-tl.tsv", "test-yo.tsv"]


def test_the_lists_of_the_benchmarks_may_be_asked_for_by_name() -> None:
    plan = plan_of(["mlm"], ["tatoeba", "xquad"], run__languages=["xtreme"])
    assert (len(plan.languages("tatoeba")), len(plan.languages("xquad"))) == (36, 11)
    more = plan_of(["mlm"], ["tatoeba", "xquad"], run__languages=["ro", "xtreme_r"])
    assert (len(more.languages("tatoeba")), more.languages("xquad")[:2]) == (41, ["ro", "ar"])
    with pytest.raises(ConfigError, match="lareqa has none of the run's languages") as raised:
        plan.languages("lareqa")
    assert "or name a list of it: xtreme_r" in raised.value.hint
    with pytest.raises(ConfigError) as raised:
        plan_of(["mlm"], ["pawsx"], run__languages=["sw"]).languages("pawsx")
    assert raised.value.hint.startswith("it has de, en, es, fr, ja, ko, zh")


def test_a_pool_of_fewer_languages_than_published_is_said() -> None:
    assert plan_of(["mlm"], ["lareqa", "tatoeba"], run__languages=["xtreme_r"]).smaller_pools == []
    (said,) = plan_of(["mlm"], ["lareqa", "mewslix"], run__languages=["en", "de", "ar"]).smaller_pools
    assert said.startswith("lareqa ranks a pool of 3 of its 11 languages (without el, es, hi, ru, th, tr,")


def test_a_threshold_is_tuned_on_a_split_of_its_own_where_there_is_one() -> None:
    jobs = Jobs(plan_of(["mlm"], ["bucc2018"], run__split="test", run__languages=["zh"]))
    entry = jobs.task("bucc2018")
    assert entry.parts("zh") == [("bucc2018", "dev"), ("bucc2018", "test")]
    assert entry.scored("zh") == "test"
    files = [path.rsplit("/", 1)[1] for path in jobs.predictions("micro", "mlm", 0, "bucc2018")]
    assert files == ["dev-zh.tsv", "dev-zh.trec.gz", "test-zh.tsv", "test-zh.trec.gz"]
    halves = Jobs(plan_of(["mlm"], ["bucc2018"], **MIRROR | {"run__languages": ["zh"]}))
    assert halves.task("bucc2018").scored("zh") == "dev-half"


def test_halves_of_a_test_set_are_what_is_left_without_a_development_set(tmp_path: Path) -> None:
    for part in ("zh", "en", "gold"):
        (tmp_path / "bucc2018").mkdir(exist_ok=True)
        (tmp_path / "bucc2018" / f"zh-en.test.{part}").write_text("x", encoding="utf-8")
    keys = {"run__languages": ["zh"], "run__split": "test", "data__folders": {"bucc2018": str(tmp_path)}}
    jobs = Jobs(plan_of(["mlm"], ["bucc2018"], **keys))
    Preconditions(jobs).validate()
    assert jobs.task("bucc2018").scored("zh") == "test-half"
    assert sorted(jobs.evaluation_locks("bucc2018")) == [
        f"bucc2018/zh-en.test.{part}" for part in ("en", "gold", "zh")
    ]
    assert set(jobs.evaluation_locks("bucc2018")) <= set(jobs.all_evaluation_locks)
    assert jobs.source_options("bucc2018") == '--root "$XSTILTS_DATA_bucc2018" --lock ""'
    assert jobs.evaluation_inputs("bucc2018") == []


@pytest.mark.parametrize(
    ("folders", "error", "message"),
    [
        ({"ccgbank": "."}, ConfigError, "no data set 'ccgbank' can lie in a folder"),
        ({"text": "."}, ConfigError, "no data set 'text' can lie in a folder"),
        ({"ccg": "nowhere"}, DataError, "the folder of ccg is missing: nowhere"),
        ({"xquad": "tests"}, DataError, "data.folders.xquad has no xquad/test in en, de"),
    ],
)
def test_a_folder_that_is_of_no_use_is_refused(
    folders: dict[str, str], error: type[XstiltsError], message: str
) -> None:
    plan = plan_of(["mlm"], ["xquad"], data__folders=folders, run__languages=["en", "de"])
    with pytest.raises(error, match=message) as raised:
        Preconditions(Jobs(plan)).validate()
    assert f"data.folders.{next(iter(folders))}" in str(raised.value)


SIZES = {"train_examples": 2400, "tydiqa_train_examples": 400, "tydiqa_train_languages": ("en", "ko", "sw")}


@pytest.mark.parametrize(
    ("recipe", "keys", "held"),
    [
        ("mnli@2401", {"data__micro": SIZES}, 2400),
        ("tydiqa_three@1201", {"data__micro": SIZES}, 1200),
        ("csqa@7611", MIRROR, 7610),
        ("csqa@7611", {**MIRROR, "data__lock": None}, 7610),
        ("csqa@9742", {"data__source": "hub"}, 9741),
    ],
)
def test_a_cap_beyond_what_there_is_is_refused_before_any_job(
    recipe: str, keys: dict[str, Any], held: int
) -> None:
    with pytest.raises(ConfigError, match=rf"asks for more examples than .* has \({held}\)") as raised:
        Preconditions(jobs_of(recipe, **keys))._check_caps()
    assert recipe in raised.value.where
    Preconditions(jobs_of(f"{recipe.partition('@')[0]}@{held}", **keys))._check_caps()


def test_the_run_of_the_paper_has_the_original_settings_for_every_task() -> None:
    plan = Plan(settings.read(DEFAULT, ROOT / "config" / "paper.yaml"))
    for name, task in registry.training_tasks().items():
        if task.is_text or name.endswith(("_dev", "_three")) or task.type == "dual_encoder":
            continue
        part = plan.stage_settings("xlmr_large", name).parts[name]
        qa = task.type == "span"
        assert (part.batch_size, part.max_length) == ((16, 384) if qa else (32, 256)), name
        epochs = 10 if task.type == "tagging" else 5 if name == "pawsx" else 2
        assert part.epochs == epochs, name


def test_what_is_trained_on_an_evaluation_set_is_not_scored_on_it() -> None:
    assert plan_of(["xquad_all"], ["tatoeba"]).cells
    for task, dataset, recipe in [
        ("xquad", "xquad", "xquad_all"),
        ("lareqa", "xquad_r", "xquad_all"),
        ("mlqa", "mlqa", "csqa-mlqa_all"),
        ("lareqa_mlqa", "mlqa_r", "mlqa_all"),
    ]:
        with pytest.raises(ConfigError, match=f"cannot be scored on {task}: .* trained on {dataset}"):
            plan_of([recipe], [task])


def test_all_splits_and_languages_of_a_task_decide_its_job() -> None:
    jobs = jobs_of("hellaswag_sample+tydiqa_three", **MIRROR)
    Preconditions(jobs).validate()
    tydiqa = [f"tydiqa_goldp/tydiqa.goldp.{code}.train.json" for code in ("en", "ko", "sw")]
    assert sorted(jobs.training_locks("tydiqa_three")) == tydiqa
    assert sorted(jobs.training_locks("hellaswag_sample")) == ["hellaswag/sample-2000.json"]
    assert jobs.training_code("hellaswag_sample") != jobs.training_code("tydiqa_three")
    with pytest.raises(DataError, match=r"no tydiqa/train in ar, bn, fi, id, ru, te, which tydiqa_all needs"):
        Preconditions(jobs_of("tydiqa_all", **MIRROR)).validate()
