"""Pieces with their special ones, in the styles of XLM-R and BERT."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tiny_models import LINES
from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers

from xstilts.errors import CheckpointError
from xstilts.model.pieces import CHUNK, Pieces

ids = st.lists(st.integers(10, 99), max_size=30)


def save(folder: Path, tokenizer: Tokenizer) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(folder / "tokenizer.json"))
    return folder


def bert(folder: Path) -> Path:
    """A tokenizer in BERT's style that drops zero-width spaces."""
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "sky", "##ward", "blue"]
    tokenizer = Tokenizer(
        models.WordPiece({piece: i for i, piece in enumerate(vocabulary)}, unk_token="[UNK]")
    )
    tokenizer.normalizer = normalizers.Replace(Regex("\u200b"), "")
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.enable_truncation(3)
    tokenizer.enable_padding()
    return save(folder, tokenizer)


def test_bert_style(tmp_path: Path) -> None:
    pieces = Pieces(bert(tmp_path))
    first, second = pieces.encode(["blue sky", "skyward blue blue"])
    assert first.ids == [7, 5]
    assert second.ids == [5, 6, 7, 7]  # neither cut nor padded, whatever the file says
    assert second.offsets == [(0, 3), (3, 7), (8, 12), (13, 17)]
    assert pieces.two(first.ids, second.ids, 20) == [2, 7, 5, 3, 5, 6, 7, 7, 3]


def test_a_word_that_leaves_no_piece_is_unknown(tmp_path: Path) -> None:
    pieces = Pieces(bert(tmp_path))
    assert pieces.words(["sky", "\u200b", "", "skyward"]) == [[5], [pieces.unknown], [pieces.unknown], [5, 6]]
    assert pieces.words([]) == []


def test_special_pieces_written_in_a_text_are_text(pieces: Pieces) -> None:
    (encoded,) = pieces.encode(["<s> the <mask> sky </s> <pad>"])
    assert not set(encoded.ids) & {pieces.start, pieces.end, pieces.pad, pieces.mask}


def test_streaming_is_encoding(pieces: Pieces) -> None:
    texts = [f"{LINES[i % len(LINES)]} {i}" for i in range(CHUNK + 3)]
    assert list(pieces.stream(texts)) == pieces.encode(texts)
    assert list(pieces.stream([])) == []


@given(ids, st.integers(2, 20))
def test_one_text_fits(content: list[int], length: int) -> None:
    pieces = Pieces.__new__(Pieces)
    pieces.start, pieces.end = 0, 2
    row = pieces.one(content, length)
    assert (row[0], row[-1]) == (0, 2)
    assert row[1:-1] == content[: length - 2]
    assert len(row) <= length


@given(ids, ids, st.integers(8, 40), st.sampled_from([1, 2]))
def test_two_texts_fit_and_the_longer_is_cut_first(
    first: list[int], second: list[int], length: int, separators: int
) -> None:
    pieces = Pieces.__new__(Pieces)
    pieces.start, pieces.end, pieces.separators = 0, 2, separators
    row = pieces.two(first, second, length)
    room = length - 2 - separators
    middle = row.index(2)
    kept = row[1:middle], row[middle + separators : -1]
    assert (row[0], row[-1]) == (0, 2)
    assert kept[0] == first[: len(kept[0])] and kept[1] == second[: len(kept[1])]
    assert len(kept[0]) + len(kept[1]) == min(len(first) + len(second), room)  # nothing is wasted
    for own, other, whole in ((0, 1, first), (1, 0, second)):
        if len(kept[own]) < len(whole):
            assert len(kept[own]) >= len(kept[other]) - room % 2


@pytest.mark.parametrize(("content", "message"), [(None, "no readable"), ("{", "no readable")])
def test_an_unreadable_tokenizer(tmp_path: Path, content: str | None, message: str) -> None:
    if content is not None:
        (tmp_path / "tokenizer.json").write_text(content, encoding="utf-8")
    with pytest.raises(CheckpointError, match=message):
        Pieces(tmp_path)


def test_a_tokenizer_without_special_pieces(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="special pieces"):
        Pieces(save(tmp_path, Tokenizer(models.WordLevel({"a": 0}, unk_token="a"))))
