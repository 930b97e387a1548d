"""Training data: filtered, checked, divided; text: filtered and sampled."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xstilts import registry
from xstilts.data.examples import Example, PairExample, SpanExample
from xstilts.data.leakage import EvaluationKeys, evaluation_keys
from xstilts.data.preparation import hold_out, prepare_task, prepare_text, sample
from xstilts.data.sources import FolderSource
from xstilts.errors import DataError, RegistryError
from xstilts.registry import TrainingTask

LABELS = ["entailment", "neutral", "contradiction"]
MNLI = {"type": "classification", "labels": LABELS, "train": {"dataset": "mnli", "split": "train"}}
HOLDOUT = TrainingTask.model_validate(MNLI | {"dev": {"holdout": 0.25}})
OWN_DEV = TrainingTask.model_validate(MNLI | {"dev": {"dataset": "mnli", "split": "dev"}})
LEAKED = ("The man sleeps on a bench.", "He is awake.")


def write(path: Path, *lines: str) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


@pytest.fixture
def source(tmp_path: Path) -> FolderSource:
    root = tmp_path / "source"
    root.mkdir()
    pairs = [*((f"premise number {i}", f"hypothesis {i}") for i in range(99)), LEAKED]
    rows = [json.dumps({"premise": p, "hypothesis": h, "label": LABELS[0]}) for p, h in pairs]
    write(root / "mnli" / "train.jsonl", *rows)
    write(root / "mnli" / "dev_matched.jsonl", rows[-1], rows[0])
    write(root / "xnli" / "dev-en.tsv", f"{LEAKED[0]}\t{LEAKED[1]}\tneutral")
    write(root / "tatoeba" / "tatoeba.deu-eng.deu", "Hallo.")
    write(root / "tatoeba" / "tatoeba.deu-eng.eng", "Hello.")
    write(root / "text" / "de.txt", "hallo", *(f"Satz {i}" for i in range(20)))
    write(root / "text" / "en.txt", "the man sleeps on a bench", "another line")
    write(root / "text" / "fr.txt", "hello!")
    write(root / "pairs" / "de.tsv", "Gruß\tHELLO", "hallo\thi", "drei\tthree")
    return FolderSource(root)


@pytest.fixture
def keys(source: FolderSource) -> EvaluationKeys:
    return EvaluationKeys(evaluation_keys(source))


def test_the_table_of_keys_is_sorted_and_without_repeats(source: FolderSource) -> None:
    table = evaluation_keys(source)
    assert table.equals(table.sort_values(list(table.columns), ignore_index=True).drop_duplicates())
    assert set(table["dataset"]) == {"xnli", "tatoeba"}


def test_leaked_examples_leave_training_and_a_published_dev_split(
    source: FolderSource, keys: EvaluationKeys
) -> None:
    prepared = prepare_task(source, "mnli", OWN_DEV, keys)
    assert len(prepared.train) == 99
    assert [example.first for example in prepared.dev if isinstance(example, PairExample)] == [
        "premise number 0"
    ]
    assert prepared.leakage.values.tolist() == [
        ["mnli", "train", "en", "any", 1, 100],
        ["mnli", "train", "en", "xnli", 1, 100],
        ["mnli", "dev", "en", "any", 1, 2],
        ["mnli", "dev", "en", "xnli", 1, 2],
    ]


def test_a_dev_split_of_which_nothing_would_be_left_stays(
    source: FolderSource, keys: EvaluationKeys, capsys: pytest.CaptureFixture[str]
) -> None:
    row = json.dumps({"premise": LEAKED[0], "hypothesis": LEAKED[1], "label": "neutral"})
    write(source.root / "mnli" / "dev_matched.jsonl", row)
    prepared = prepare_task(source, "mnli", OWN_DEV, keys)
    assert len(prepared.dev) == 1
    assert set(prepared.leakage["split"]) == {"train"}, "nothing was removed from it"
    assert "mnli: all that is selected on stands in evaluation sets" in capsys.readouterr().err


def test_a_held_out_share_comes_from_what_is_left(source: FolderSource, keys: EvaluationKeys) -> None:
    prepared = prepare_task(source, "mnli", HOLDOUT, keys)
    ids = {example.id for example in prepared.train}, {example.id for example in prepared.dev}
    assert not ids[0] & ids[1]
    assert len(ids[0] | ids[1]) == 99
    assert 10 <= len(ids[1]) <= 40


def test_labels_are_checked_and_nothing_left_is_an_error(source: FolderSource, keys: EvaluationKeys) -> None:
    fewer = OWN_DEV.model_copy(update={"labels": ["neutral"]})
    with pytest.raises(DataError, match="'entailment', which the task does not list"):
        prepare_task(source, "mnli", fewer, keys)
    row = json.dumps({"premise": LEAKED[0], "hypothesis": LEAKED[1], "label": "neutral"})
    write(source.root / "mnli" / "train.jsonl", row)
    with pytest.raises(DataError, match="no example of mnli is left for its train part"):
        prepare_task(source, "mnli", OWN_DEV, keys)


@given(st.integers(2, 40), st.floats(0.05, 0.95))
def test_held_out_questions_share_no_paragraph_with_the_others(paragraphs: int, share: float) -> None:
    questions: list[Example] = [
        SpanExample(f"{p}-{q}", "en", f"Paragraph {p}", "Why?", (), ())
        for p in range(paragraphs)
        for q in range(3)
    ]
    kept, held = hold_out(questions, share)
    contexts = [{e.context for e in part if isinstance(e, SpanExample)} for part in (kept, held)]
    assert not contexts[0] & contexts[1]
    assert sorted([*kept, *held], key=questions.index) == questions
    assert hold_out(kept, share) == (kept, []), "the choice depends on the example alone"


def test_the_held_out_share_is_met() -> None:
    examples = [PairExample(f"set-{i}", "en", f"a {i}", "b", None) for i in range(5000)]
    assert len(hold_out(examples, 0.1)[1]) == pytest.approx(500, abs=65)  # three standard deviations


def test_text_and_pairs_are_filtered_and_counted(
    source: FolderSource, keys: EvaluationKeys, tmp_path: Path
) -> None:
    output = tmp_path / "corpus"
    write(output / "stale.txt", "from an earlier run")
    sizes, leakage = prepare_text(source, ["en", "fr", "de", "sw"], keys, output)
    assert sizes.values.tolist() == [["de", 20, 150, 1], ["en", 1, 13, 0]]
    files = {path.relative_to(output).as_posix(): path for path in output.rglob("*") if path.is_file()}
    assert sorted(files) == ["pairs/de.tsv", "text/de.txt", "text/en.txt"]
    assert files["text/en.txt"].read_text(encoding="utf-8") == "another line\n"
    assert files["pairs/de.tsv"].read_text(encoding="utf-8") == "drei\tthree\n"
    assert leakage[leakage["evaluation"] == "any"].values.tolist() == [
        ["text", "train", "de", "any", 1, 21],
        ["pairs", "train", "de", "any", 2, 3],
        ["text", "train", "en", "any", 1, 2],
        ["text", "train", "fr", "any", 1, 1],
    ]


def test_a_cap_keeps_so_many_lines_and_no_text_is_an_error(
    source: FolderSource, keys: EvaluationKeys, tmp_path: Path
) -> None:
    sizes, _ = prepare_text(source, ["de", "en"], keys, tmp_path / "corpus", max_lines=5)
    assert sizes["lines"].tolist() == [5, 1]
    with pytest.raises(DataError, match="no text of the languages asked for"):
        prepare_text(source, ["fr"], keys, tmp_path / "corpus")
    with pytest.raises(RegistryError, match="no language 'xx'"):
        prepare_text(source, ["de", "xx"], keys, tmp_path / "corpus")
    assert (tmp_path / "corpus" / "text" / "de.txt").is_file(), "finished results stay"


@given(st.lists(st.text(), unique=True), st.integers(0, 30), st.integers(0, 3))
def test_a_sample_is_nested_ordered_and_seeded(lines: list[str], size: int, seed: int) -> None:
    chosen = sample(lines, size, str(seed))
    assert len(chosen) == min(size, len(lines))
    assert chosen == [line for line in lines if line in set(chosen)]
    assert set(chosen) <= set(sample(lines, size + 1, str(seed)))
    assert chosen == sample(lines, size, str(seed))
    assert sample(lines, None, str(seed)) == lines


def test_other_seeds_choose_other_lines() -> None:
    lines = [str(i) for i in range(100)]
    assert sample(lines, 50, "0 de") != sample(lines, 50, "1 de")


def test_pairs_of_one_premise_stay_together() -> None:
    examples = [PairExample(f"set-{i}", "en", f"a {i // 3}", f"b {i}", None) for i in range(900)]
    kept, held = ({example.first for example in part} for part in hold_out(examples, 0.2))
    assert held
    assert not kept & held


def questions(*paragraphs: str) -> str:
    """SQuAD's JSON with two questions on each paragraph, whose ids are the same in every file."""
    answer = [{"text": "a", "answer_start": 0}]
    articles = [
        {"context": text, "qas": [{"id": f"{i}-{q}", "question": "?", "answers": answer} for q in range(2)]}
        for i, text in enumerate(paragraphs)
    ]
    return json.dumps({"data": [{"paragraphs": articles}]})


PARAGRAPHS = [f"a paragraph about the number {n}" for n in range(12)]
XQUAD_ALL = TrainingTask.model_validate(
    {
        "type": "span",
        "train": {"dataset": "xquad", "split": "test"},
        "dev": {"holdout": 0.3},
        "languages": ["de", "en"],
        "spends": ["xquad"],
    }
)


def test_a_task_may_have_several_splits_and_languages(source: FolderSource, keys: EvaluationKeys) -> None:
    both = TrainingTask.model_validate(
        MNLI
        | {
            "train": [{"dataset": "mnli", "split": "train"}, {"dataset": "mnli", "split": "dev"}],
            "dev": [{"dataset": "mnli", "split": "dev"}, {"dataset": "mnli", "split": "train"}],
        }
    )
    assert [split.split for split in both.splits] == ["train", "dev", "dev", "train"]
    prepared = prepare_task(source, "mnli", both, keys)
    ids = [example.id for example in prepared.train]
    assert len(ids) == len(set(ids)) == 99 + 1
    assert ids[0] == "mnli-train-en:mnli-train-en-0"
    assert [example.id.split(":")[0] for example in prepared.dev] == ["mnli-dev-en"] + ["mnli-train-en"] * 99
    assert prepared.leakage.values.tolist()[0] == ["mnli", "train", "en", "any", 2, 102]


def test_translations_with_the_same_ids_stay_apart(source: FolderSource) -> None:
    for code in ("de", "en"):
        write(source.root / "xquad" / f"xquad.{code}.json", questions(*(f"{p} {code}" for p in PARAGRAPHS)))
    found = EvaluationKeys(evaluation_keys(source))
    prepared = prepare_task(source, "xquad_all", XQUAD_ALL, found)
    ids = [example.id for example in [*prepared.train, *prepared.dev]]
    assert len(ids) == len(set(ids)) == 48
    assert prepared.dev
    assert {example.language for example in prepared.train} == {"de", "en"}


def test_a_task_is_trained_on_what_it_spends_and_on_nothing_else_held_out(source: FolderSource) -> None:
    for code in ("de", "en"):
        write(source.root / "xquad" / f"xquad.{code}.json", questions(*(f"{p} {code}" for p in PARAGRAPHS)))
    (source.root / "mlqa").mkdir()
    other = questions(f"{PARAGRAPHS[0]} de", f"{PARAGRAPHS[1]} de")
    write(source.root / "mlqa" / "dev-context-de-question-de.json", other)
    found = EvaluationKeys(evaluation_keys(source))
    prepared = prepare_task(source, "xquad_all", XQUAD_ALL, found)
    assert prepared.leakage.values.tolist() == [
        ["xquad_all", "train", "de", "any", 4, 24],
        ["xquad_all", "train", "de", "mlqa", 4, 24],
        ["xquad_all", "train", "en", "any", 0, 24],
    ]
    assert not any(found.of_example(example, but=["xquad"]) for example in prepared.train)
    with pytest.raises(DataError, match="no example of xquad_all is left"):
        prepare_task(source, "xquad_all", XQUAD_ALL.model_copy(update={"spends": []}), found)


def test_a_data_set_may_lie_in_a_folder_of_its_own(
    source: FolderSource, keys: EvaluationKeys, tmp_path: Path
) -> None:
    for section in ("00", "02", "10", "20"):
        tree = f"ID=wsj_{section}.1 PARSER=GOLD\n(<L N/{section} NN NN word N>)"
        (tmp_path / "ldc" / "data" / "AUTO" / section).mkdir(parents=True)
        write(tmp_path / "ldc" / "data" / "AUTO" / section / "wsj.auto", tree)
    task = registry.training_tasks()["ccg"]
    prepared = prepare_task(source, "ccg", task, keys, {"ccg": tmp_path / "ldc"})
    assert [example.id for example in prepared.train] == ["wsj_02.1", "wsj_10.1", "wsj_20.1"]
    assert [example.id for example in prepared.dev] == ["wsj_00.1"]
    with pytest.raises(DataError, match="is missing"):
        prepare_task(source, "ccg", task, keys)
