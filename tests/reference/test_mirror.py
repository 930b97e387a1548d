"""The real data: every data set loads, its counts are those of its documentation, leakage is found.

The folder is that of XSTILTS_MIRROR, or ../shared/data beside the repository.
"""

import csv
import os
from pathlib import Path

import pytest

from xstilts import registry
from xstilts.data.examples import PairExample, ParallelExample, SpanExample, TaggedExample
from xstilts.data.formats import tagged
from xstilts.data.leakage import EvaluationKeys, evaluation_keys, key_of, normalise
from xstilts.data.lock import Lock, load_lock
from xstilts.data.locking import build_lock
from xstilts.data.preparation import prepare_task
from xstilts.data.sources import FolderSource

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
    folders = {path.split("/")[0] for _, path in locked}
    left_out = {path for path in manifest if path.split("/")[0] in folders} - {path for _, path in locked}
    assert left_out == set()


@pytest.mark.parametrize(
    ("dataset", "split", "languages", "examples"),
    [
        ("tatoeba", "test", 112, 88877),
        ("text", "train", 47, 594862),
        ("xnli", "dev", 15, 15 * 2490),
        ("xquad", "test", 12, 12 * 1190),
        ("xquad_r", "test", 11, 11 * 1190),
        ("xcopa", "dev", 12, 12 * 100),
        ("xcopa", "test", 11, 11 * 500),
        ("xcopa", "train", 1, 400),
        ("pawsx", "train", 1, 8000),
        ("mlqa", "dev", 7, 1148 + 517 + 512 + 500 + 507 + 511 + 504),
        ("tydiqa", "dev", 9, 921 + 113 + 440 + 782 + 565 + 276 + 812 + 499 + 669),
        ("tydiqa", "train", 3, 3696 + 1625 + 2755),
        ("squad1", "dev", 1, 10570),
        ("mnli", "dev", 1, 9815),
        ("snli", "dev", 1, 9842),
        ("csqa", "train", 1, 7610),
        ("csqa", "dev", 1, 950),
        ("udpos", "dev", 34, 75533),
        ("udpos", "test", 4, 1047 + 1000 + 222 + 318),
        ("panx", "dev", 47, 293600),
    ],
)
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


@pytest.mark.parametrize(("dataset", "split"), [("xquad", "test"), ("mlqa", "dev"), ("tydiqa", "train")])
def test_answers_stand_at_their_offsets(source: FolderSource, dataset: str, split: str) -> None:
    for language in source.languages(dataset, split):
        for example in source.read(dataset, split, language):
            assert isinstance(example, SpanExample)
            assert example.answers
            for text, start in zip(example.answers, example.starts, strict=True):
                assert example.context[start:].startswith(text)


@pytest.mark.parametrize(
    ("dataset", "split"),
    [("xnli", "dev"), ("mnli", "dev"), ("snli", "dev"), ("udpos", "dev"), ("udpos", "test")],
)
def test_labels_are_those_of_the_task(source: FolderSource, dataset: str, split: str) -> None:
    task = registry.training_tasks()["udpos" if dataset == "udpos" else "mnli"]
    for language in source.languages(dataset, split):
        for example in source.read(dataset, split, language):
            assert isinstance(example, PairExample | TaggedExample)
            labels = {example.label} if isinstance(example, PairExample) else set(example.tags or ())
            assert labels <= set(task.labels)


@pytest.mark.parametrize(
    ("dataset", "split", "languages"),
    [("udpos", "dev", None), ("udpos", "test", None), ("panx", "dev", ["af", "ja", "ta", "yo"])],
)
def test_tagged_files_survive_reading_and_writing(
    source: FolderSource, dataset: str, split: str, languages: list[str] | None
) -> None:
    for language in languages or source.languages(dataset, split):
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
    assert prepared.leakage.values.tolist()[1] == ["squad1_dev", "en", "xquad", 1190, 10570]
    xquad = {e.context for e in leakage_source.read("xquad", "test", "en") if isinstance(e, SpanExample)}
    parts = [
        {e.context for e in part if isinstance(e, SpanExample)} for part in (prepared.train, prepared.dev)
    ]
    assert len(xquad) == 240
    assert not xquad & (parts[0] | parts[1])
    assert not parts[0] & parts[1]
    assert len(parts[0] | parts[1]) == 2067 - 240
