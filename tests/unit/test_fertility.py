"""Pieces of a language relative to pieces of its English translation."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, models, pre_tokenizers, processors

from xstilts.data.examples import ParallelExample
from xstilts.errors import CheckpointError, DataError
from xstilts.fertility import BATCH, count_pieces, fertility_table, load_tokenizer
from xstilts.tables import read_table

ROOT = Path(__file__).parents[2]
words = st.lists(st.text("abcдеж", min_size=1, max_size=6), min_size=1, max_size=8).map(" ".join)
pairs = st.lists(st.tuples(words, words), min_size=1, max_size=20)


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    """One piece per word of one letter, else one per letter; saved with padding, truncation and marks."""
    vocabulary = [(letter, -1.0) for letter in "abcдеж▁"]
    made = Tokenizer(models.Unigram([("<s>", 0.0), ("<unk>", 0.0), *vocabulary, ("▁a", -0.5)], unk_id=1))
    made.pre_tokenizer = pre_tokenizers.Metaspace()
    made.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 0)])
    made.enable_padding(length=64)
    made.enable_truncation(max_length=3)
    return made


@pytest.fixture(scope="module")
def folder(tokenizer: Tokenizer, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("tokenizer")
    tokenizer.save(str(path / "tokenizer.json"))
    return path


@pytest.fixture(scope="module")
def loaded(folder: Path) -> Tokenizer:
    return load_tokenizer(folder)


def examples(language: str, texts: list[tuple[str, str]]) -> list[ParallelExample]:
    return [ParallelExample(f"{language}-{i}", language, *text) for i, text in enumerate(texts)]


@given(pairs)
@settings(max_examples=50)
def test_counts_are_those_of_single_sentences(loaded: Tokenizer, texts: list[tuple[str, str]]) -> None:
    """No padding, no truncation, no marks; every text is counted once."""
    row = fertility_table(loaded, {"de": examples("de", texts)}).iloc[0]
    one_by_one = [
        sum(len(loaded.encode(pair[side], add_special_tokens=False).tokens) for pair in texts)
        for side in (0, 1)
    ]
    assert [row["pieces"], row["english_pieces"]] == one_by_one
    assert row["fertility"] == one_by_one[0] / one_by_one[1]


@given(pairs)
@settings(max_examples=50)
def test_a_text_and_its_copy_have_fertility_one(loaded: Tokenizer, texts: list[tuple[str, str]]) -> None:
    copies = [(text, text) for text, _ in texts]
    assert fertility_table(loaded, {"de": examples("de", copies)})["fertility"].tolist() == [1.0]


@given(pairs)
@settings(max_examples=50)
def test_changing_sides_inverts(loaded: Tokenizer, texts: list[tuple[str, str]]) -> None:
    there = fertility_table(loaded, {"de": examples("de", texts)})["fertility"][0]
    back = fertility_table(loaded, {"de": examples("de", [(b, a) for a, b in texts])})["fertility"][0]
    assert there * back == pytest.approx(1)


def test_known_counts(loaded: Tokenizer) -> None:
    table = fertility_table(
        loaded, {"ru": examples("ru", [("де жж", "a a")]), "de": examples("de", [("a", "bc")])}
    )
    assert table.to_dict("records") == [
        {"language": "de", "pieces": 1, "english_pieces": 3, "fertility": 1 / 3},
        {"language": "ru", "pieces": 6, "english_pieces": 2, "fertility": 3.0},
    ]


def test_more_texts_than_a_batch(loaded: Tokenizer) -> None:
    assert count_pieces(loaded, ["a b"] * (2 * BATCH + 1)) == 3 * (2 * BATCH + 1)


def test_language_without_english_text_is_refused(loaded: Tokenizer) -> None:
    for texts in ([], [("a", "")]):
        with pytest.raises(DataError) as raised:
            fertility_table(loaded, {"de": examples("de", texts)})
        assert "de" in raised.value.where


def test_missing_or_broken_tokenizer_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"no tokenizer\.json"):
        load_tokenizer(tmp_path)
    (tmp_path / "tokenizer.json").write_text("{}", encoding="utf-8")
    with pytest.raises(CheckpointError, match="cannot be read"):
        load_tokenizer(tmp_path)


def test_script(folder: Path, tmp_path: Path) -> None:
    """On two tiny Tatoeba files; an alias is resolved and English left out."""
    (tmp_path / "tatoeba").mkdir()
    for code, text in (("deu", "ab\na\n"), ("heb", "жж\nc\n")):
        for side, content in ((code, text), ("eng", "a\nb\n")):
            (tmp_path / "tatoeba" / f"tatoeba.{code}-eng.{side}").write_text(content, encoding="utf-8")
    command = [
        sys.executable,
        "scripts/measure_fertility.py",
        "--model",
        "tiny",
        "--tokenizer",
        str(folder),
        "--root",
        str(tmp_path),
    ]
    command += ["--languages", "iw en de", "--output", str(tmp_path / "fertility.tsv")]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    table = read_table(tmp_path / "fertility.tsv")
    assert table["language"].tolist() == ["de", "he"]
    assert table["english_pieces"].tolist() == [3, 3]
    assert "torch" not in done.stderr
