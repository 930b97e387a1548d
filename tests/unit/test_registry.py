"""The registries agree with each other, and with what is published of the tasks."""

import importlib

import pytest

from xstilts import registry
from xstilts.data.labels import EXAMPLE_TYPES
from xstilts.registry import EvaluationTask, Holdout, Split, TrainingTask

DATASETS, TRAINING = registry.datasets(), registry.training_tasks()
EVALUATION = registry.evaluation_tasks()


@pytest.mark.parametrize("name", DATASETS)
def test_a_data_set_has_a_parser_and_its_other_keys_name_its_splits(name: str) -> None:
    entry = DATASETS[name]
    parser = importlib.import_module(f"xstilts.data.formats.{entry.format}")
    assert hasattr(parser, "parse") or hasattr(parser, "lines")
    assert set(entry.evaluation) | set(entry.published) <= set(entry.splits)
    assert not entry.published or entry.counted, "counts without a source"
    for figures in entry.published.values():
        assert set(figures if isinstance(figures, dict) else {}) <= set(registry.languages())
    if hasattr(parser, "dropped"):
        assert entry.filtered, "what is left out is not said"


@pytest.mark.parametrize("name", [*TRAINING, *EVALUATION])
def test_a_task_reads_splits_and_languages_that_exist(name: str) -> None:
    for task in (TRAINING.get(name), EVALUATION.get(name)):
        if task is None:
            continue
        splits = task.splits if isinstance(task, TrainingTask) else [task.data]
        assert all(split.split in DATASETS[split.dataset].splits for split in splits)
        assert set(task.languages or []) <= set(registry.languages())


@pytest.mark.parametrize("name", TRAINING)
def test_training_reads_no_held_out_split_but_those_that_it_spends(name: str) -> None:
    task = TRAINING[name]
    held_out = {split.dataset for split in task.splits if split.split in DATASETS[split.dataset].evaluation}
    assert held_out <= set(task.spends)
    assert all(DATASETS[dataset].evaluation for dataset in task.spends)
    assert task.type in [*EXAMPLE_TYPES, "masked_lm"]


@pytest.mark.parametrize("name", EVALUATION)
def test_the_english_training_of_a_task_has_a_head_for_it(name: str) -> None:
    task = EVALUATION[name]
    if task.target is not None:
        target = TRAINING[task.target]
        assert (target.type, target.labels) == (task.type, task.labels)
        assert target.languages == ["en"]
    assert task.data.split in DATASETS[task.data.dataset].evaluation


def published(*names: str) -> int:
    return sum(_figure(split) for name in names for split in TRAINING[name].train)


def _figure(split: Split) -> int:
    figures = DATASETS[split.dataset].published[split.split]
    return figures["en"] if isinstance(figures, dict) else figures


def test_the_mixture_of_anli_is_as_large_as_the_original_study_says() -> None:
    assert published("anli_plus") == 1_104_934  # Phang et al. 2020, table 1
    assert (published("mnli"), published("squad2"), published("qqp")) == (392_702, 130_319, 363_846)
    dev = TRAINING["anli_plus"].dev
    assert isinstance(dev, list)
    assert sum(map(_figure, dev)) == 22_857


@pytest.mark.parametrize(
    ("task", "languages"),
    [("xnli", 15), ("pawsx", 7), ("xcopa", 11), ("xquad", 12), ("mlqa", 7), ("tydiqa", 9), ("panx", 48)],
)
def test_a_task_has_as_many_languages_as_published(task: str, languages: int) -> None:
    assert len(set(EVALUATION[task].languages or [])) == languages


def test_mlqa_has_its_own_normalisation_and_no_other_task() -> None:
    own = {name for name, entry in EVALUATION.items() if entry.normalisation == "mlqa"}
    assert own == {"mlqa"}


def test_one_split_may_be_given_without_a_list() -> None:
    split = {"dataset": "mnli", "split": "train"}
    one = TrainingTask.model_validate({"type": "span", "train": split, "dev": split})
    several = TrainingTask.model_validate({"type": "span", "train": [split], "dev": [split]})
    assert one == several == TrainingTask.model_validate_json(one.model_dump_json())
    held = TrainingTask.model_validate({"type": "span", "train": split, "dev": {"holdout": 0.1}})
    assert held.dev == Holdout(holdout=0.1)
    assert held == TrainingTask.model_validate_json(held.model_dump_json())


def test_an_evaluation_task_is_scored_by_squad_unless_it_says_otherwise() -> None:
    entry = {"type": "span", "data": {"dataset": "xquad", "split": "test"}, "metrics": ["f1"]}
    assert EvaluationTask.model_validate(entry).normalisation == "squad"
