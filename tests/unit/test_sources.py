"""Reading through a source, with and without a lock; every fault of a file has one clear message."""

import json
from pathlib import Path

import pytest

from xstilts.data import counts
from xstilts.data.examples import ParallelExample
from xstilts.data.lock import Lock, load_lock, lock_entry, save_lock, sha256_of
from xstilts.data.locking import build_lock
from xstilts.data.sources import FolderSource, open_source, relative_paths
from xstilts.errors import DataError, RegistryError

TATOEBA = {"tatoeba.deu-eng.deu": "eins\nzwei\n", "tatoeba.deu-eng.eng": "one\ntwo\n"}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "mirror" / "tatoeba"
    folder.mkdir(parents=True)
    for name, content in TATOEBA.items():
        (folder / name).write_text(content, encoding="utf-8")
        (folder / name.replace("deu-", "cmn-").replace(".deu", ".cmn")).write_text(content, encoding="utf-8")
    text = tmp_path / "mirror" / "text"
    text.mkdir()
    (text / "de.txt").write_text("ein Satz\n", encoding="utf-8")
    return tmp_path / "mirror"


@pytest.fixture
def lock(root: Path) -> Lock:
    return build_lock(root)


def test_languages_are_found_by_the_project_codes(root: Path, lock: Lock) -> None:
    for source in (FolderSource(root), FolderSource(root, lock)):
        assert source.languages("tatoeba", "test") == ["de", "zh"]
        assert source.languages("text", "train") == ["de"]
        assert source.splits("tatoeba") == ["test"]
        assert source.holds("tatoeba", "test")
        assert not source.holds("xnli", "dev")
        assert source.paths("tatoeba", "test", "zh")[0].name == "tatoeba.cmn-eng.cmn"


def test_examples_and_lines_are_read(root: Path, lock: Lock) -> None:
    for source in (FolderSource(root), FolderSource(root, lock)):
        assert source.read("tatoeba", "test", "de") == [
            ParallelExample("tatoeba-test-de-0", "de", "eins", "one"),
            ParallelExample("tatoeba-test-de-1", "de", "zwei", "two"),
        ]
        assert source.lines("text", "train", "de") == ["ein Satz"]


def test_codes_come_from_the_data_set_else_from_iso_639_3() -> None:
    assert relative_paths("tatoeba", "test", "ar")[0] == "tatoeba/tatoeba.ara-eng.ara"
    assert relative_paths("tatoeba", "test", "fr")[1] == "tatoeba/tatoeba.fra-eng.eng"
    assert relative_paths("mlqa", "dev", "hi") == ["mlqa/dev-context-hi-question-hi.json"]


def test_a_missing_folder_has_its_own_message(root: Path, lock: Lock) -> None:
    for source in (FolderSource(root / "no"), FolderSource(root / "no", lock)):
        for call in (lambda: source.read("tatoeba", "test", "de"), lambda: source.check(["tatoeba"])):  # noqa: B023
            with pytest.raises(DataError, match="the data folder is missing") as raised:
                call()
            assert raised.value.where == str(root / "no")
            assert "data.mirror" in raised.value.hint


def altered(root: Path, content: bytes | None) -> str:
    path = root / "tatoeba" / "tatoeba.deu-eng.deu"
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    return str(path)


@pytest.mark.parametrize(
    ("content", "message", "seen_quickly"),
    [
        (None, "tatoeba/tatoeba.deu-eng.deu is missing", True),
        (b"eins\nzw", "looks like a truncated download: expected 10 bytes, found 7", True),
        (b"eins\nzwei\ndrei\n", "expected 10 bytes, found 15", True),
        (b"eins\nzwEi\n", "differs from the lock: expected sha256 ", False),
    ],
)
def test_a_file_that_differs_from_the_lock_is_named(
    root: Path, lock: Lock, content: bytes | None, message: str, seen_quickly: bool
) -> None:
    where = altered(root, content)
    source = FolderSource(root, lock)
    with pytest.raises(DataError) as raised:
        source.read("tatoeba", "test", "de")
    assert message in raised.value.what
    assert raised.value.where == where
    assert "fetch it again" in raised.value.hint
    if seen_quickly:
        with pytest.raises(DataError, match="files at fault: 1") as raised:
            source.check(["text", "tatoeba/test"])
        assert message in raised.value.what
    assert source.read("tatoeba", "test", "zh")


def test_the_altered_byte_is_shown_by_both_hashes(root: Path, lock: Lock) -> None:
    expected = sha256_of(root / "tatoeba" / "tatoeba.deu-eng.deu")
    altered(root, b"eins\nzwEi\n")
    found = sha256_of(root / "tatoeba" / "tatoeba.deu-eng.deu")
    with pytest.raises(DataError, match=f"expected sha256 {expected}, found {found}"):
        FolderSource(root, lock).read("tatoeba", "test", "de")


@pytest.mark.parametrize("content", [b"", b"\n\n"])
def test_a_file_without_examples_is_an_error(root: Path, content: bytes) -> None:
    (root / "text" / "de.txt").write_bytes(content)
    with pytest.raises(DataError, match=r"is empty|holds no examples"):
        FolderSource(root).lines("text", "train", "de")


def test_without_a_lock_half_a_pair_of_files_is_missed_not_skipped(root: Path) -> None:
    altered(root, None)
    with pytest.raises(DataError, match=r"tatoeba.deu-eng.deu is missing"):
        FolderSource(root).read("tatoeba", "test", FolderSource(root).languages("tatoeba", "test")[0])


def test_a_check_lists_a_few_faults_only(root: Path, lock: Lock) -> None:
    for path in (root / "tatoeba").iterdir():
        path.unlink()
    (root / "text" / "de.txt").write_text("", encoding="utf-8")
    (root / "text" / "de.txt").unlink()
    content = json.loads(json.dumps(lock.content))
    for language in ("fr", "es"):
        content["text"]["files"][f"text/{language}.txt"] = content["text"]["files"]["text/de.txt"]
        content["text"]["splits"]["train"][language] = {"files": [f"text/{language}.txt"], "examples": 1}
    with pytest.raises(DataError, match="files at fault: 7") as raised:
        FolderSource(root, Lock(content, "test")).check(["tatoeba", "text"])
    assert raised.value.what.count("is missing") == 5
    assert raised.value.what.endswith("and 2 more")


def test_names_that_do_not_exist_are_named(root: Path, lock: Lock) -> None:
    with pytest.raises(RegistryError, match="no data set 'tatoeva'"):
        FolderSource(root).read("tatoeva", "test", "de")
    with pytest.raises(RegistryError, match="tatoeba has no split 'dev'"):
        FolderSource(root).languages("tatoeba", "dev")
    with pytest.raises(RegistryError, match="no language 'xx'"):
        FolderSource(root).read("tatoeba", "test", "xx")
    with pytest.raises(DataError, match="'xx' is not in tatoeba/test"):
        FolderSource(root, lock).read("tatoeba", "test", "xx")
    with pytest.raises(DataError, match="'xnli' is not in the lock"):
        FolderSource(root, lock).languages("xnli", "dev")
    with pytest.raises(DataError, match="xnli: no file is there"):
        FolderSource(root).check(["xnli"])


def test_an_id_given_twice_is_an_error(root: Path) -> None:
    (root / "csqa_v1.0").mkdir()
    choices = [{"label": "A", "text": "a"}, {"label": "B", "text": "b"}]
    row = json.dumps({"id": "x", "question": {"stem": "s", "choices": choices}, "answerKey": "A"})
    (root / "csqa_v1.0" / "dev_rand_split.jsonl").write_text(f"{row}\n{row}\n", encoding="utf-8")
    with pytest.raises(DataError, match="'x' occurs 2 times"):
        FolderSource(root).read("csqa", "dev", "en")


def test_a_lock_survives_writing_and_reading(root: Path, lock: Lock, tmp_path: Path) -> None:
    path = tmp_path / "data.lock"
    save_lock(lock, path)
    assert load_lock(path).content == lock.content
    open_source(root, str(path)).check(["tatoeba", "text"])
    assert open_source(root, "none").lock is None
    lines = path.read_text(encoding="utf-8").splitlines()
    assert sum('"sha256"' in line for line in lines) == 5, "one line per file"


def test_a_job_gets_the_entries_of_its_own_files_only(root: Path, lock: Lock) -> None:
    german = lock_entry(lock, [("tatoeba", "test", ["de"])])
    assert list(german) == ["tatoeba/tatoeba.deu-eng.deu", "tatoeba/tatoeba.deu-eng.eng"]
    assert german["tatoeba/tatoeba.deu-eng.deu"] == sha256_of(root / "tatoeba" / "tatoeba.deu-eng.deu")
    assert len(lock_entry(lock, [("tatoeba", "test", None), ("text", "train", None)])) == 5
    with pytest.raises(DataError, match="'xx' is not in tatoeba/test"):
        lock_entry(lock, [("tatoeba", "test", ["xx"])])


@pytest.mark.parametrize("content", ["", "{", "[]", '{"tatoeba": 1}', '{"tatoeba": {"files": {}}}'])
def test_what_is_no_lock_is_refused(content: str, tmp_path: Path) -> None:
    path = tmp_path / "data.lock"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(DataError, match="not a data lock"):
        load_lock(path)
    with pytest.raises(DataError, match="the data lock is missing"):
        load_lock(tmp_path / "no.lock")


def test_locking_takes_origins_from_the_manifest_and_agrees_with_it(root: Path) -> None:
    row = f"text/de.txt\t{sha256_of(root / 'text' / 'de.txt')}\tsomewhere@1234\n"
    (root / "MANIFEST.tsv").write_text("file\tsha256\torigin\n" + row, encoding="utf-8")
    assert build_lock(root).file("text", "text/de.txt").origin == "somewhere@1234"
    (root / "text" / "de.txt").write_text("ein Wort\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"text/de.txt differs from MANIFEST.tsv"):
        build_lock(root)


def test_locking_leaves_no_file_out_silently(root: Path) -> None:
    (root / "text" / "klingon.txt").write_text("nuqneH\n", encoding="utf-8")
    with pytest.raises(RegistryError, match=r"no language of text has the file text/klingon.txt"):
        build_lock(root)


def pawsx(root: Path, *rows: str) -> None:
    (root / "pawsx").mkdir(exist_ok=True)
    (root / "pawsx" / "dev-de.tsv").write_text("".join(f"{row}\n" for row in rows), encoding="utf-8")


def test_a_count_that_is_not_the_published_one_is_said_once(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    counts.say.cache_clear()
    pawsx(root, "a\tb\t1", "NS\tb\t0", "c\td\t0")
    for source in (FolderSource(root), FolderSource(root), FolderSource(root, build_lock(root))):
        assert len(source.read("pawsx", "dev", "de")) == 2
        assert source.dropped("pawsx", "dev", "de") == 1
    said = capsys.readouterr().err
    assert said.count("pawsx/dev, de: 2 examples; published are 1932; rows left out: 1 (rows with an ") == 1
    assert said.count("tatoeba/test, zh: 2 examples; published are 1000\n") == 1


def test_what_the_run_has_written_itself_is_not_compared(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    counts.say.cache_clear()
    assert open_source(root, "none").read("tatoeba", "test", "de")
    assert capsys.readouterr().err == ""
    assert open_source(root, "").read("tatoeba", "test", "de")
    assert "published are 1000" in capsys.readouterr().err


def test_nothing_is_said_of_counts_that_agree_or_are_unknown() -> None:
    assert counts.remark("pawsx", "dev", "de", 1932) == ""
    assert counts.remark("pawsx", "dev", "el", 5) == ""
    assert counts.remark("squad1_mt", "train", "de", 5) == ""
    assert counts.published("xnli", "dev", "de") == 2490


def test_a_data_set_may_have_a_file_per_document(tmp_path: Path) -> None:
    leaf = "(<L N NN NN word N>)"
    for section, name in (("00", "a"), ("00", "b"), ("22", "c"), ("20", "d"), ("02", "e"), ("19", "f")):
        path = tmp_path / "data" / "AUTO" / section / f"{name}.auto"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"ID={name}.1 PARSER=GOLD\n{leaf}\n", encoding="utf-8")
    for source in (FolderSource(tmp_path), FolderSource(tmp_path, build_lock(tmp_path))):
        assert [example.id for example in source.read("ccg", "dev", "en")] == ["a.1", "b.1"]
        assert [example.id for example in source.read("ccg", "train", "en")] == ["e.1", "f.1", "d.1"]
        assert source.languages("ccg", "train") == ["en"]
        assert not source.holds("ccg", "test")
    (tmp_path / "data" / "AUTO" / "02" / "e.auto").unlink()
    with pytest.raises(DataError, match=r"data/AUTO/0\[2-9\]/\*.auto is missing"):
        FolderSource(tmp_path).read("ccg", "train", "en")
