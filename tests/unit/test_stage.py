"""Stages: every task type is learnt, mixtures train every head, and the same seed gives the same bytes."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from stage_tasks import LABELS, examples, part
from tiny_models import tiny

from xstilts.data.examples import Example, SpanExample, TaggedExample
from xstilts.errors import ConfigError, TrainingError
from xstilts.job_settings import PretrainingJob, StageJob
from xstilts.model import checkpoint
from xstilts.model.checkpoint import LM_HEAD, Model
from xstilts.prediction.predict import Decoding, predict
from xstilts.scoring import headline
from xstilts.training.pretrain import masked_lm_losses, read_corpus
from xstilts.training.stage import Part, Text, cap, train_stage

SHARED = StageJob(learning_rate=3e-3, warmup=0.1, weight_decay=0.0, clip=1.0, selections=3, parts={})


def score(model: Model, trained: Part) -> float:
    settings = trained.settings
    how = Decoding(trained.lengths, settings.max_answer, 4096, embedding=settings.embedding)
    found = predict(model, trained.name, trained.dev, how)
    return headline(trained.settings.entry.type, trained.dev, found)[1]


@pytest.mark.parametrize("task_type", sorted(LABELS))
def test_every_task_type_is_learnt(tokens: Path, task_type: str) -> None:
    model, learnt = tiny(tokens, dropout=0.0), part(task_type)
    rows = train_stage(model, [learnt], SHARED, 1, task_type).rows
    assert [row["step"] for row in rows] == [20, 40, 60]
    assert list(model.heads) == [task_type]
    assert score(model, learnt) > 0.9
    assert score(model, learnt) == max(row["value"] for row in rows)


def test_a_mixture_trains_every_head(tokens: Path) -> None:
    model = tiny(tokens, dropout=0.0)
    parts = [part("classification", epochs=30), part("tagging", epochs=10)]
    rows = train_stage(model, parts, SHARED, 1, "classification+tagging").rows
    assert set(model.heads) == set(model.head_entries) == {"classification", "tagging"}
    assert [row["task"] for row in rows] == ["classification", "tagging"] * 3
    assert rows[-1]["step"] == 90 + 30  # each task has its own number of steps
    assert all(score(model, each) > 0.9 for each in parts)


def test_masked_lm_may_be_mixed_in(tokens: Path, tmp_path: Path) -> None:
    (tmp_path / "text").mkdir()
    (tmp_path / "text" / "en.txt").write_text("the river is blue now\na red town by the sea\n" * 20)
    how = PretrainingJob(
        steps=30,
        learning_rate=1.0,  # not used: the stage's is
        warmup=0.1,
        weight_decay=0.0,
        clip=1.0,
        batch_lines=8,
        batch_pairs=1,
        masked=0.3,
        temperature=0.1,
        max_length=32,
        sampling_exponent=1.0,
    )
    losses = {}
    for mixed in (False, True):
        model = tiny(tokens, dropout=0.0)
        corpus = read_corpus(tmp_path, model, 32, 1.0)
        head = model.heads[LM_HEAD]
        learnt = part("tagging")
        rows = train_stage(model, [learnt], SHARED, 1, "c", Text(corpus, how) if mixed else None).rows
        assert rows[-1]["step"] == (90 if mixed else 60)
        assert {row["task"] for row in rows} == ({"tagging", LM_HEAD} if mixed else {"tagging"})
        assert all(row["loss"] > 0 for row in rows)
        assert score(model, learnt) > 0.9
        assert (LM_HEAD in model.heads) == mixed
        model.heads[LM_HEAD] = head
        summands = masked_lm_losses(model, corpus.lines[:16], how, np.random.default_rng(1))
        losses[mixed] = sum(float(compute().detach()) for compute in summands)
    assert losses[True] < losses[False] - 1


def _half_unanswerable() -> list[Example]:
    """Every other question asks of what no paragraph tells."""
    questions = [example for example in examples("span") if isinstance(example, SpanExample)]
    return [
        replace(question, question="why is the sky blue?", answers=(), starts=()) if i % 2 else question
        for i, question in enumerate(questions)
    ]


def test_questions_without_an_answer_are_learnt(tokens: Path) -> None:
    questions = _half_unanswerable()
    learnt = part("span", train=questions, unanswerable=True, epochs=60)
    model = tiny(tokens, dropout=0.0)
    rows = train_stage(model, [learnt], SHARED, 1, "span").rows
    assert max(row["value"] for row in rows) > 0.9
    how = Decoding(learnt.lengths, learnt.settings.max_answer, 4096)
    assert all(predict(model, "span", questions, how)), "a task without such questions has all answered"


def test_a_task_without_labels_takes_those_of_its_training_examples(tokens: Path) -> None:
    tagged = [example for example in examples("tagging") if isinstance(example, TaggedExample)]
    unseen = replace(tagged[0], id="unseen", tags=("WORD", "RARE", "PLACE", "WORD"))
    learnt = part("tagging", train=tagged, labels=[], metric="tag_accuracy")
    learnt = replace(learnt, dev=[*tagged, unseen])
    model = tiny(tokens, dropout=0.0)
    rows = train_stage(model, [learnt], SHARED, 1, "tagging").rows
    assert model.head_entries["tagging"]["labels"] == LABELS["tagging"]
    assert {row["metric"] for row in rows} == {"tag_accuracy"}
    words = 4 * (len(tagged) + 1)
    assert max(row["value"] for row in rows) == pytest.approx((words - 1) / words)


def test_the_best_weights_are_kept(tokens: Path) -> None:
    model, learnt = tiny(tokens, dropout=0.5), part("classification", epochs=4)
    shared = SHARED.model_copy(update={"learning_rate": 0.05, "selections": 12})
    rows = train_stage(model, [learnt], shared, 1, "classification").rows
    assert len(rows) == 12
    assert score(model, learnt) == max(row["value"] for row in rows)


def test_no_more_selections_than_steps(tokens: Path) -> None:
    short = part("classification", epochs=0.5)
    shared = SHARED.model_copy(update={"selections": 50})
    rows = train_stage(tiny(tokens), [short], shared, 1, "x").rows
    assert [row["step"] for row in rows] == [1, 2]


def test_the_same_seed_and_stage_give_the_same_bytes(tokens: Path, tmp_path: Path) -> None:
    for name, seed, stage in (("a", 1, "s"), ("b", 1, "s"), ("c", 2, "s"), ("d", 1, "t")):
        model = tiny(tokens)
        train_stage(model, [part("span", epochs=1), part("tagging", epochs=1)], SHARED, seed, stage)
        checkpoint.save(model, tmp_path / name)
    files = sorted(file.name for file in (tmp_path / "a").iterdir())
    a, b, c, d = ([(tmp_path / name / file).read_bytes() for file in files] for name in "abcd")
    assert a == b
    assert a != c and a != d and c != d


def test_what_cannot_be_trained_is_an_error(tokens: Path) -> None:
    with pytest.raises(ConfigError, match="100 pieces"):
        train_stage(tiny(tokens), [part("span", max_length=100)], SHARED, 1, "span")
    whole = part("span")
    for empty, kind in ((Part("span", whole.settings, [], whole.dev), "training"),
                        (Part("span", whole.settings, whole.train, []), "English dev")):  # fmt: skip
        with pytest.raises(TrainingError, match=f"no {kind} examples"):
            train_stage(tiny(tokens), [empty], SHARED, 1, "span")


@given(st.integers(0, 36), st.integers(0, 36), st.integers(0, 9))
def test_caps_are_nested(few: int, more: int, seed: int) -> None:
    whole = examples("span")
    few, more = sorted((few, more))
    first, second = cap(whole, few, seed, "span"), cap(whole, more, seed, "span")
    assert len({example.id for example in second}) == more
    assert second[:few] == first


def test_a_cap_is_a_permutation_of_seed_and_task() -> None:
    whole = examples("span")
    drawn = cap(whole, len(whole), 1, "span")
    assert sorted(example.id for example in drawn) == sorted(example.id for example in whole)
    assert drawn != whole
    assert drawn != cap(whole, len(whole), 2, "span")
    assert drawn != cap(whole, len(whole), 1, "squad1")
    assert cap(whole, None, 1, "span") == whole


def test_a_cap_above_the_number_of_examples_is_an_error() -> None:
    with pytest.raises(TrainingError, match="span@37 asks for more examples than the 36"):
        cap(examples("span"), 37, 1, "span")
