"""The registries agree with each other, and with what is published of the tasks."""

import importlib

import pytest
from pydantic import ValidationError

from xstilts import recipes, registry
from xstilts.data.labels import EXAMPLE_TYPES
from xstilts.registry import EvaluationTask, HeldOut, Holdout, Split, TrainingTask

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
        if isinstance(task, TrainingTask):
            splits, languages = [*task.splits, *(task.dev_if_test or [])], task.languages
        else:
            splits = [
                Split(dataset=held.dataset, split=name) for held in task.held_out for name in held.splits
            ]
            languages = task.languages.known
        assert all(split.split in DATASETS[split.dataset].splits for split in splits)
        assert set(languages) <= set(registry.languages())


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
        stages = [TRAINING[part.task] for stage in recipes.parse(task.target).stages for part in stage.parts]
        assert (stages[-1].type, stages[-1].labels) == (task.type, task.labels)
        assert all(stage.languages == ["en"] for stage in stages)
    assert len({held.dataset for held in task.held_out}) == 1
    for held in task.held_out:
        assert set(held.splits) <= set(DATASETS[held.dataset].evaluation)


@pytest.mark.parametrize("name", [name for name, task in TRAINING.items() if task.dev_if_test])
def test_what_is_selected_on_where_test_is_scored_is_not_scored_there(name: str) -> None:
    for split in TRAINING[name].dev_if_test or []:
        assert split.split in DATASETS[split.dataset].evaluation
        scored = [task.test for task in EVALUATION.values() if task.data.dataset == split.dataset]
        assert scored
        assert all(held is not None and split.split not in held.splits for held in scored)


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
    ("task", "xtreme", "xtreme_r"),  # Hu et al. 2020, table 1; Ruder et al. 2021, table 2
    [
        ("xnli", 15, 15), ("pawsx", 7, 0), ("xcopa", 0, 11), ("udpos", 33, 38), ("panx", 40, 48),
        ("xquad", 11, 11), ("mlqa", 7, 7), ("tydiqa", 9, 9), ("bucc2018", 4, 0), ("tatoeba", 36, 41),
        ("lareqa", 0, 11), ("mewslix", 0, 11), ("lareqa_mlqa", 0, 0),
    ],
)  # fmt: skip
def test_a_task_has_as_many_languages_as_the_benchmarks_score(task: str, xtreme: int, xtreme_r: int) -> None:
    known = EVALUATION[task].languages
    assert (len(set(known.xtreme)), len(set(known.xtreme_r))) == (xtreme, xtreme_r)
    assert not known.xtreme or not known.xtreme_r or set(known.xtreme) <= set(known.xtreme_r)


def test_the_languages_that_are_easily_lost_are_where_they_are_scored() -> None:
    udpos, xquad = EVALUATION["udpos"], EVALUATION["xquad"].languages
    assert {"kk", "th", "tl", "yo"} <= set(udpos.languages.xtreme)
    assert [udpos.data.of(code) for code in ("de", "kk", "th", "tl", "yo")] == ["dev", *["test"] * 4]
    assert "ro" in xquad.known and "ro" not in [*xquad.xtreme, *xquad.xtreme_r]
    added = set(EVALUATION["tatoeba"].languages.xtreme_r) - set(EVALUATION["tatoeba"].languages.xtreme)
    assert added == {"az", "lt", "pl", "ro", "uk"}  # scripts/run_tatoeba.sh


def test_a_split_by_language_needs_one_for_all_others() -> None:
    with pytest.raises(ValidationError, match="that of all others"):
        HeldOut.model_validate({"dataset": "udpos", "split": {"kk": "test"}})


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
