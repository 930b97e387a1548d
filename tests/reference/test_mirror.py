"""The real data: every data set loads, its counts are those of its documentation, leakage is found.

The folder is that of XSTILTS_MIRROR, or ../shared/data beside the repository.
"""

import csv
import json
import os
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import pytest

from xstilts import registry
from xstilts.data.counts import remark
from xstilts.data.examples import (
    Example,
    ParallelExample,
    SpanExample,
    TaggedExample,
    sentence_ids,
)
from xstilts.data.formats import tagged
from xstilts.data.labels import check_labels, is_labelled
from xstilts.data.leakage import EvaluationKeys, evaluation_keys, key_of, normalise
from xstilts.data.lock import Lock, load_lock
from xstilts.data.locking import build_lock
from xstilts.data.preparation import prepare_task, prepare_text
from xstilts.data.queries import as_queries
from xstilts.data.sources import FolderSource
from xstilts.registry import Split, TrainingTask
from xstilts.scoring import score
from xstilts.scoring.bitext import sides
from xstilts.scoring.mining import gold, is_tuned_on

REPOSITORY = Path(__file__).parents[2]
MIRROR = Path(os.environ.get("XSTILTS_MIRROR", REPOSITORY / ".." / "shared" / "data")).resolve()

XTREME = {code for code, entry in registry.languages().items() if entry.xtreme} - {"ms"}
"""XTREME's languages, but Malay: it is in WikiANN only, though Tatoeba has a file (zsm)."""

pytestmark = pytest.mark.skipif(not MIRROR.is_dir(), reason=f"no mirror of real data at {MIRROR}")


@pytest.fixture(scope="module")
def lock() -> Lock:
    return load_lock(REPOSITORY / "data.lock")


@pytest.fixture(scope="module")
def source(lock: Lock) -> FolderSource:
    return FolderSource(MIRROR, lock)


@pytest.fixture(scope="module")
def leakage_source(tmp_path_factory: pytest.TempPathFactory) -> FolderSource:
    """The part of the mirror that the documented leaks are in."""
    root = tmp_path_factory.mktemp("mirror")
    for name in ("tatoeba", "text", "xquad", "squad_v1.1"):
        (root / name).symlink_to(MIRROR / name)
    return FolderSource(root)


@pytest.fixture(scope="module")
def keys(leakage_source: FolderSource) -> EvaluationKeys:
    return EvaluationKeys(evaluation_keys(leakage_source))


def test_all_of_the_mirror_loads_and_is_what_the_lock_says(lock: Lock) -> None:
    assert build_lock(MIRROR).content == lock.content


def test_the_lock_agrees_with_the_manifest(lock: Lock) -> None:
    with (MIRROR / "MANIFEST.tsv").open(encoding="utf-8", newline="") as stream:
        manifest = {row["file"]: row for row in csv.DictReader(stream, delimiter="\t")}
    locked = {(name, path) for name in lock.datasets() for path in lock.content[name]["files"]}
    for name, path in locked:
        file, row = lock.file(name, path), manifest[path]
        assert (str(file.bytes), file.sha256, file.origin) == (row["bytes"], row["sha256"], row["origin"])
    assert set(manifest) - {path for _, path in locked} == {"cc100/cc-100.csv"}, "facts, and no examples"


COUNTS = [
    ("tatoeba", "test", 112, 88877),
    ("text", "train", 47, 594862),
    ("xnli", "dev", 15, 15 * 2490),
    ("xquad", "test", 12, 12 * 1190),
    ("xquad_r", "test", 11, 11 * 1190),
    ("xcopa", "dev", 12, 12 * 100),
    ("xcopa", "test", 11, 11 * 500),
    ("xcopa", "train", 1, 400),
    ("pawsx", "dev", 7, 2000 + 1932 + 1962 + 1992 + 1980 + 1965 + 1984),
    ("paws_wiki", "test", 1, 8000),
    ("anli", "dev", 1, 1000 + 1000 + 1200),
    ("sick", "train", 1, 4439),
    ("sick", "trial", 1, 495),
    ("sick", "test", 1, 4906),
    ("mrpc", "train", 1, 4076),
    ("hellaswag_sample", "dev", 1, 1000),
    ("hellaswag_sample", "test", 1, 1000),
    ("cosmosqa", "dev", 1, 2985),
    ("siqa_options", "dev", 1, 1954),
    ("squad2", "dev_half", 1, 6078),
    ("mlqa", "dev", 7, 1148 + 517 + 512 + 500 + 507 + 511 + 504),
    ("tydiqa", "dev", 9, 921 + 113 + 440 + 782 + 565 + 276 + 812 + 499 + 669),
    ("tydiqa", "train", 3, 3696 + 1625 + 2755),
    ("squad1", "dev", 1, 10570),
    ("mnli", "dev", 1, 9815),
    ("snli", "dev", 1, 9842),
    ("csqa", "train", 1, 7610),
    ("csqa", "dev", 1, 950),
    ("udpos", "train", 1, 21787),
    ("udpos", "dev", 34, 75533),
    ("udpos", "test", 4, 1047 + 1000 + 222 + 318),
    ("panx", "train", 1, 20000),
    ("panx", "dev", 47, 293600),
    ("bucc2018", "dev", 1, 8624 + 13589 - 257),
]


@pytest.mark.parametrize(("dataset", "split", "languages", "examples"), COUNTS)
def test_counts_are_the_published_ones(
    lock: Lock, dataset: str, split: str, languages: int, examples: int
) -> None:
    codes = lock.languages(dataset, split)
    assert len(codes) == languages
    assert sum(lock.counts(dataset, split, code)["examples"] for code in codes) == examples


def test_counts_of_some_languages(lock: Lock) -> None:
    assert lock.counts("pawsx", "dev", "de") == {"examples": 1932, "dropped": 68, "unlabelled": 0}
    assert lock.counts("pawsx", "dev", "en") == {"examples": 2000, "dropped": 0, "unlabelled": 0}
    assert lock.counts("tatoeba", "test", "sw")["examples"] == 390
    assert lock.counts("bucc2018", "dev", "zh") == {
        "examples": 8624 + 13589 - 257,
        "dropped": 0,
        "unlabelled": 21699,
    }


def test_all_xtreme_languages_of_tatoeba_are_there(lock: Lock) -> None:
    assert len(XTREME & set(lock.languages("tatoeba", "test"))) == 36


def test_the_answers_of_tydiqa_dev_are_withheld_and_no_others(lock: Lock) -> None:
    """XTREME blanks the answers of its test sets: TyDiQA-GoldP's dev set is one of them."""
    withheld = {
        (dataset, split)
        for dataset in lock.datasets()
        for split in lock.splits(dataset)
        for code in lock.languages(dataset, split)
        if lock.counts(dataset, split, code).get("unlabelled")
    }
    assert withheld == {("tydiqa", "dev"), ("bucc2018", "dev")}


def test_every_locked_split_is_counted_above(lock: Lock) -> None:
    locked = {(name, split) for name in lock.datasets() for split in lock.splits(name)}
    assert locked == {(dataset, split) for dataset, split, _, _ in COUNTS}


def test_rows_that_are_no_examples_are_in_paws_x_alone(lock: Lock) -> None:
    dropped = {
        (dataset, split, code): count
        for dataset in lock.datasets()
        for split in lock.splits(dataset)
        for code in lock.languages(dataset, split)
        if (count := lock.counts(dataset, split, code).get("dropped"))
    }
    expected = {"de": 68, "es": 38, "fr": 8, "ja": 20, "ko": 35, "zh": 16}
    assert dropped == {("pawsx", "dev", code): count for code, count in expected.items()}


def test_counts_differ_from_the_published_ones_in_udpos_alone(lock: Lock) -> None:
    """XTREME counts Universal Dependencies v2.5; these are the files of XTREME-R."""
    said = [
        remark(dataset, split, code, lock.counts(dataset, split, code)["examples"])
        for dataset in lock.datasets()
        for split in lock.splits(dataset)
        for code in lock.languages(dataset, split)
    ]
    assert list(filter(None, said)) == [
        "udpos/dev, el: 403 examples; published are 2559",
        "udpos/dev, et: 3868 examples; published are 3125",
        "udpos/dev, fa: 2055 examples; published are 599",
        "udpos/dev, fr: 2905 examples; published are 5979",
        "udpos/dev, ja: 501 examples; published are 511",
        "udpos/dev, ru: 8108 examples; published are 9960",
        "udpos/dev, tr: 1967 examples; published are 988",
        "udpos/dev, zh: 1000 examples; published are 3038",
        "udpos/test, tl: 222 examples; published are 55",
        "udpos/test, yo: 318 examples; published are 100",
        "udpos/train, en: 21787 examples; published are 21253",
    ]


SPANS = ["mlqa", "squad1", "squad2", "tydiqa", "xquad"]


def test_these_are_all_question_sets(lock: Lock) -> None:
    formats = {name: registry.datasets()[name].format for name in lock.datasets()}
    assert [name for name, format_ in formats.items() if format_ == "squad"] == SPANS


@pytest.mark.parametrize("dataset", SPANS)
def test_answers_stand_at_their_offsets(source: FolderSource, dataset: str) -> None:
    for split in source.splits(dataset):
        unanswerable = 0
        for language in source.languages(dataset, split):
            for example in source.read(dataset, split, language):
                assert isinstance(example, SpanExample)
                unanswerable += not example.answers
                for text, start in zip(example.answers, example.starts, strict=True):
                    assert example.context[start:].startswith(text)
        assert unanswerable == (3168 if dataset == "squad2" else 0)


def tasks() -> dict[str, TrainingTask]:
    """Every training task on examples that the mirror holds in all its languages."""
    held = load_lock(REPOSITORY / "data.lock") if MIRROR.is_dir() else Lock({}, "")
    return {
        name: task
        for name, task in registry.training_tasks().items()
        if not task.is_text and all(_holds(held, split, task.languages) for split in task.splits)
    }


def _holds(lock: Lock, split: Split, languages: list[str]) -> bool:
    known = split.dataset in lock.datasets() and split.split in lock.splits(split.dataset)
    return known and set(languages) <= set(lock.languages(split.dataset, split.split))


@pytest.mark.parametrize("name", tasks())
def test_every_label_of_a_training_task_is_one_of_it(source: FolderSource, name: str) -> None:
    task = tasks()[name]
    for split in task.splits:
        for language in task.languages:
            examples = source.read(split.dataset, split.split, language)
            if task.type == "dual_encoder":
                examples = as_queries(examples)
            check_labels(examples, task.type, task.labels, where=name)


NO_LABELS = {"bucc2018", "lareqa_mlqa", "mewslix"}  # pairs are gold; the two others are not in the mirror


@pytest.mark.parametrize("name", sorted(set(registry.evaluation_tasks()) - NO_LABELS))
def test_every_label_of_an_evaluation_task_is_one_of_it(source: FolderSource, name: str) -> None:
    task = registry.evaluation_tasks()[name]
    splits = {(held.dataset, split) for held in task.held_out for split in held.splits}
    for dataset, split in splits:
        for language in source.languages(dataset, split) if source.holds(dataset, split) else []:
            examples = source.read(dataset, split, language)
            labelled = [example for example in examples if is_labelled(example)]
            assert labelled or name == "tydiqa"
            check_labels(labelled, task.type, task.labels, where=name)


def test_a_run_on_the_mirror_scores_udpos_in_all_its_languages(source: FolderSource) -> None:
    task = registry.evaluation_tasks()["udpos"]
    for code in task.languages.xtreme_r:
        assert code in source.languages("udpos", task.data.of(code)), code


def test_the_mirror_has_a_task_for_each_of_its_data_sets(lock: Lock) -> None:
    trained = {split.dataset for task in tasks().values() for split in task.splits}
    scored = {task.data.dataset for task in registry.evaluation_tasks().values()}
    assert {"anli_dev", "sick", "mrpc", "pawsx_test", "squad2_dev", "tydiqa_three"} < set(tasks())
    assert {"hellaswag_sample", "cosmosqa_dev", "siqa_dev", "mlqa_all", "xquad_all"} < set(tasks())
    left = set(lock.datasets()) - trained - scored
    assert left <= {"text", "bucc2018", "xquad_r"}, "text is no task, and two are for retrieval"


@pytest.mark.parametrize(("dataset", "split"), [("udpos", "train"), ("udpos", "dev"), ("udpos", "test")])
def test_tags_survive_reading_and_writing(source: FolderSource, dataset: str, split: str) -> None:
    assert_round_trip(source, dataset, split)


@pytest.mark.parametrize(("dataset", "split"), [("panx", "train"), ("panx", "dev")])
def test_entities_survive_reading_and_writing(source: FolderSource, dataset: str, split: str) -> None:
    assert_round_trip(source, dataset, split)


def assert_round_trip(source: FolderSource, dataset: str, split: str) -> None:
    """What is written equals the file, but for the empty lines at its end."""
    for language in source.languages(dataset, split):
        examples = source.read(dataset, split, language)
        (path,) = source.paths(dataset, split, language)
        written = tagged.render(example for example in examples if isinstance(example, TaggedExample))
        assert written.rstrip("\n") == path.read_text(encoding="utf-8").rstrip("\n"), language


@pytest.mark.parametrize(("language", "expected"), [("id", 269), ("ar", 218), ("hi", 207), ("ur", 52)])
def test_tatoeba_sentences_in_the_text_are_found(
    leakage_source: FolderSource, keys: EvaluationKeys, language: str, expected: int
) -> None:
    lines = leakage_source.lines("text", "train", language)
    removed = {key_of(normalise(line)) for line in lines if "tatoeba" in keys.of_text(line)}
    sentences = leakage_source.read("tatoeba", "test", language)
    texts = [example.text for example in sentences if isinstance(example, ParallelExample)]
    assert sum(key_of(normalise(text)) in removed for text in texts) == expected


def test_english_sides_of_tatoeba_in_the_text_are_found(leakage_source: FolderSource) -> None:
    english = {key_of(normalise(line)) for line in leakage_source.lines("text", "train", "en")}
    sentences = {
        key_of(normalise(example.english))
        for code in XTREME & set(leakage_source.languages("tatoeba", "test"))
        for example in leakage_source.read("tatoeba", "test", code)
        if isinstance(example, ParallelExample)
    }
    assert len(english & sentences) == 64


def test_the_paragraphs_of_xquad_leave_squad(leakage_source: FolderSource, keys: EvaluationKeys) -> None:
    task = registry.training_tasks()["squad1_dev"]
    prepared = prepare_task(leakage_source, "squad1_dev", task, keys)
    assert prepared.leakage.values.tolist()[1] == ["squad1_dev", "train", "en", "xquad", 1190, 10570]
    xquad = {e.context for e in leakage_source.read("xquad", "test", "en") if isinstance(e, SpanExample)}
    parts = [
        {e.context for e in part if isinstance(e, SpanExample)} for part in (prepared.train, prepared.dev)
    ]
    assert len(xquad) == 240
    assert not xquad & (parts[0] | parts[1])
    assert not parts[0] & parts[1]
    assert len(parts[0] | parts[1]) == 2067 - 240


def test_bucc_is_divided_into_a_tuned_and_a_scored_half(source: FolderSource) -> None:
    """Every gold pair is in one of them, and a perfect miner gets all of the half that is scored."""
    examples = [e for e in source.read("bucc2018", "dev", "zh") if isinstance(e, ParallelExample)]
    golden = gold(examples)
    tuned = {pair for pair in golden if is_tuned_on(pair[0])}
    assert (len(golden), len(tuned)) == (257, 125)
    own, english = sides(examples)
    assert (len(own.texts), own.ids.count(None)) == (8615, 9)
    assert (len(english.texts), english.ids.count(None)) == (13575, 14)
    perfect = {e.id: (sentence_ids(e)[1], 1.5) if e.text and e.english else None for e in examples}
    measures = score("mining", examples, perfect)
    assert {metric: (measure.value, measure.n) for metric, measure in measures.items()} == {
        "precision": (1.0, 132), "recall": (1.0, 132), "f1": (1.0, 132),
    }  # fmt: skip


@pytest.fixture(scope="module")
def all_keys(source: FolderSource) -> EvaluationKeys:
    """Of every evaluation set of the mirror."""
    return EvaluationKeys(evaluation_keys(source))


def plain(text: str) -> str:
    """NFKC, case-folded, without punctuation, symbols, spaces and controls: not the filter's own code."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    kept = (c for c in folded if unicodedata.category(c)[0] in "LMN")
    return unicodedata.normalize("NFC", "".join(kept))


def columns(pattern: str, *numbers: int) -> Iterator[str]:
    for path in MIRROR.glob(pattern):
        for line in path.read_text(encoding="utf-8").split("\n"):
            fields = line.split("\t")
            yield from (fields[number] for number in numbers if number < len(fields))


def blocks(pattern: str) -> Iterator[str]:
    for path in MIRROR.glob(pattern):
        for block in path.read_text(encoding="utf-8").split("\n\n"):
            yield " ".join(line.split("\t")[0] for line in block.split("\n"))


def values(pattern: str, *names: str) -> Iterator[str]:
    """The texts that JSON documents or lines of JSON have under some names, at any depth."""

    def below(value: Any) -> Iterator[str]:
        for name, inner in value.items() if isinstance(value, dict) else ():
            yield from [inner] if name in names and isinstance(inner, str) else below(inner)
        for inner in value if isinstance(value, list) else ():
            yield from below(inner)

    for path in MIRROR.glob(pattern):
        content = path.read_text(encoding="utf-8")
        documents = content.splitlines() if path.suffix == ".jsonl" else [content]
        for document in filter(None, documents):
            yield from below(json.loads(document))


SENTENCES: dict[str, Callable[[], Iterator[str]]] = {
    "tatoeba": lambda: columns("tatoeba/*", 0),
    "bucc2018": lambda: columns("bucc2018/*.dev.[ez]*", 1),
    "xnli": lambda: columns("xnli/dev-*", 0, 1),
    "pawsx": lambda: columns("pawsx/dev-*", 0, 1),
    "xcopa": lambda: chain(
        values("xcopa/val.*", "premise", "choice1", "choice2"),
        values("xcopa/test.*", "premise", "choice1", "choice2"),
    ),
    "udpos": lambda: chain(blocks("udpos/dev-*"), blocks("udpos/test-*")),
    "panx": lambda: blocks("panx/dev-*"),
    "xquad": lambda: values("xquad/*", "context"),
    "xquad_r": lambda: values("xquad_r/*", "context"),
    "mlqa": lambda: values("mlqa/*", "context"),
    "tydiqa": lambda: values("tydiqa_goldp/*.dev.json", "context"),
}
"""The sentences and paragraphs of every evaluation set of the mirror, from the publishers' own files."""


@pytest.fixture(scope="module")
def evaluated() -> dict[str, set[str]]:
    return {name: set(map(plain, texts())) - {""} for name, texts in SENTENCES.items()}


def test_the_publishers_files_of_all_evaluation_sets_are_read(
    lock: Lock, evaluated: dict[str, set[str]]
) -> None:
    assert set(evaluated) == {name for name in lock.datasets() if registry.datasets()[name].evaluation}
    assert all(len(texts) > 200 for texts in evaluated.values())


def test_no_line_of_the_text_stands_in_an_evaluation_set(
    source: FolderSource, all_keys: EvaluationKeys, evaluated: dict[str, set[str]], tmp_path: Path
) -> None:
    held = {text for texts in evaluated.values() for text in texts if len(text) >= 12} | evaluated["tatoeba"]
    lines_held = 0
    languages = source.languages("text", "train")
    sizes, report = prepare_text(source, languages, all_keys, tmp_path / "corpus")
    removed = report[report["evaluation"] == "any"].set_index("language")
    assert list(removed.index) == sorted(languages), "the report names every language"
    assert (removed["of"].sum(), removed["removed"].sum()) == (594_862, 1_155)
    assert removed.loc[["id", "ar", "en"], "removed"].tolist() == [280, 239, 124]
    for language, lines in zip(sizes["language"], sizes["lines"], strict=True):
        assert lines == removed.loc[language, "of"] - removed.loc[language, "removed"]
        with (tmp_path / "corpus" / "text" / f"{language}.txt").open(encoding="utf-8", newline="\n") as kept:
            assert not held & set(map(plain, kept)), language
        lines_held += sum(plain(line) in held for line in source.lines("text", "train", language))
    assert lines_held > 1000, "the comparison finds what the filter has to find"


def sentences(example: Example) -> Iterator[str]:
    """The plain sentences and paragraphs of an example, of four words or more."""
    fields = [getattr(example, name, None) for name in ("first", "second", "context", "text", "english")]
    texts = [text for text in fields if text]
    if isinstance(example, TaggedExample):
        texts = [" ".join(example.words)]
    elif not texts:
        texts = [getattr(example, "question", "")]
    return (plain(text) for text in texts if len(list(filter(plain, text.split()))) >= 4)


LEAKY = {"mnli_dev": 25, "snli_dev": 10, "udpos": 50, "panx": 450, "squad1_dev": 1190, "squad2_dev": 700}
"""How many examples at least stand in evaluation sets before they are filtered."""


@pytest.mark.parametrize("name", tasks())
def test_no_training_example_stands_in_an_evaluation_set(
    source: FolderSource, all_keys: EvaluationKeys, evaluated: dict[str, set[str]], name: str
) -> None:
    """But for the evaluation sets that a task spends, on which it is never scored."""
    task = registry.training_tasks()[name]
    held = {text for dataset, texts in evaluated.items() if dataset not in task.spends for text in texts}

    def leaked(examples: Iterable[Example]) -> list[str]:
        return [example.id for example in examples if not held.isdisjoint(sentences(example))]

    prepared = prepare_task(source, name, task, all_keys)
    assert leaked(prepared.train) == leaked(prepared.dev) == []
    raw = (e for s in task.train for code in task.languages for e in source.read(s.dataset, s.split, code))
    assert len(leaked(raw)) >= LEAKY.get(name, 0)
    anything = prepared.leakage[prepared.leakage["evaluation"] == "any"]
    removed, selected = (anything[anything["split"] == split] for split in ("train", "dev"))
    assert list(removed["language"]) == sorted(task.languages), "the report names every language"
    kept = removed["of"].sum() - removed["removed"].sum()
    if isinstance(task.dev, list):
        assert list(selected["language"]) == sorted(task.languages)
        assert len(prepared.dev) == selected["of"].sum() - selected["removed"].sum()
        assert len(prepared.train) == kept
    else:
        assert selected.empty and len(prepared.train) + len(prepared.dev) == kept
    ids = [example.id for example in [*prepared.train, *prepared.dev]]
    assert len(ids) == len(set(ids))


def test_the_paragraphs_of_xquad_leave_squad_2_too(source: FolderSource, all_keys: EvaluationKeys) -> None:
    task = registry.training_tasks()["squad2_dev"]
    prepared = prepare_task(source, "squad2_dev", task, all_keys)
    removed = prepared.leakage.set_index("evaluation")["removed"]
    assert removed["xquad"] == removed["xquad_r"] > 0
    assert any(isinstance(e, SpanExample) and not e.answers for e in prepared.train)
