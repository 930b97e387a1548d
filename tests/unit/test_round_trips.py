"""Gold answers and tags through pieces, windows and decoding, for tokenizers of every kind and hard texts.

Texts mix scripts without spaces, combining marks, text from right to left, zero-width characters, emoji
sequences, characters that NFC or NFKC changes or composes, control characters and very long words.
"""

import itertools
import unicodedata
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from kinds_of_tokenizers import KINDS, make

from xstilts.data.examples import SpanExample, TaggedExample
from xstilts.model.features import NO_WORD, Feature, Lengths, build
from xstilts.model.heads import IGNORED
from xstilts.model.pieces import Encoded, Pieces
from xstilts.prediction.predict import span_answers, text_of, word_tags

PARTS = [
    *"昨天我在北京 東京は 日本 ひらがな กรุงเทพ น้ำท่วม ทุกปี ำ မြန်မာ ငှက် ភាសា".split(
        " "
    ),  # written without spaces
    *"القاهرة دِمَشْق نمی\u200cخواهم שָׁלוֹם לַיְלָה ﷺ ﻻ ١٩٨٤".split(" "),  # from right to left
    *"क्षि राजधानी क्\u200dष ক\u09c7\u09be க்ஷ 서울 \u1112\u1161\u11ab".split(" "),
    *"école ECOLE Tiếng Z\u030c e\u0301 a\u0302\u0323 a\u0323\u0302 か\u3099 が".split(" "),
    *"ｶﾞ ＡＢ ﬁne ① ½ ㎏ … ŉ ǆ ß İ \u0301 \u0308 \u093c \u20dd ﾞ".split(" "),  # changed by NFKC
    *"\u200b \u200c \u200d \u2060 \ufeff \u00ad \ufe0e \ufe0f \u200e \u202e \u2066".split(" "),  # zero width
    *"👩\u200d👩\u200d👧 🇩🇪 👍🏽 ❤\ufe0f 1\ufe0f\u20e3 🙂".split(" "),
    *"the sky 1984 , . ( ▁ ## </s> [SEP] \x00 \x07 \x9f \ufffd \U0001d400 \U000e0001".split(" "),
    *(" ", "  ", "\t", "\n", "\u00a0", "\u2009", "\u3000", "\x85", "\x1f", "x" * 120),
]
texts = st.lists(st.sampled_from(PARTS) | st.text(max_size=3), max_size=30).map("".join)
LABELS = ["A", "B", "C"]


@pytest.fixture(scope="module", params=KINDS)
def pieces(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Pieces:
    """A tokenizer of each kind."""
    return Pieces(make(request.param, tmp_path_factory.mktemp(request.param)))


def encode(pieces: Pieces, text: str) -> Encoded:
    (encoded,) = pieces.encode([text])
    return encoded


@given(texts)
def test_offsets_lie_in_the_text_and_rise(pieces: Pieces, text: str) -> None:
    encoded = encode(pieces, text)
    assert len(encoded.ids) == len(encoded.offsets)
    assert all(0 <= begin < end <= len(text) for begin, end in encoded.offsets)
    for (begin, end), (next_begin, next_end) in itertools.pairwise(encoded.offsets):
        assert begin <= next_begin and end <= next_end


@given(texts)
def test_characters_without_a_piece_leave_nothing(pieces: Pieces, text: str) -> None:
    """They are white space (or begin with it), or dropped, or composed with what is before them."""
    offsets = encode(pieces, text).offsets
    held = {place for begin, end in offsets for place in range(begin, end)}
    normal = pieces.tokenizer.normalizer.normalize_str
    for place in sorted(set(range(len(text))) - held):
        spaced = not normal(text[place])[:1].strip()
        dropped = normal(text[:place] + text[place + 1 :]) == normal(text)
        before = max((begin for begin, _ in offsets if begin < place), default=0)
        composed = unicodedata.normalize("NFKC", text[before : place + 1])
        assert spaced or dropped or not composed.startswith(unicodedata.normalize("NFKC", text[before:place]))


@given(texts, texts, st.integers(8, 60), st.integers(0, 60))
def test_windows_hold_all_pieces_and_overlap_as_promised(
    pieces: Pieces, context: str, question: str, length: int, stride: int
) -> None:
    rows = build(
        "span", [SpanExample("q", "xx", context, question, (), ())], pieces, Lengths(length, stride), []
    )
    content = [(row.offset, row.ids[row.first : -1]) for row in rows]
    whole = encode(pieces, context).ids
    for row, (offset, ids) in zip(rows, content, strict=True):
        assert len(row.ids) <= length
        assert ids == whole[offset : offset + len(ids)]
    room = length - rows[0].first - 1
    for (offset, ids), (next_offset, _) in itertools.pairwise(content):
        assert len(ids) == room
        assert offset + room - next_offset == min(stride, room // 2)
    assert content[0][0] == 0 and content[-1][0] + len(content[-1][1]) == len(whole)


def one_hot(rows: list[Feature]) -> list[np.ndarray]:
    """Logits of a model that is right and sure: 1 where the answer starts and ends, else 0."""
    found = [np.zeros((len(row.ids), 2)) for row in rows]
    for row, logits in zip(rows, found, strict=True):
        assert isinstance(row.gold, list)
        logits[row.gold, [0, 1]] = 1.0
    return found


def runs(encoded: Encoded, start: int, end: int) -> Iterator[tuple[int, int]]:
    """All runs of pieces that hold every character from start to end that any piece holds."""
    held = {place for i, j in encoded.offsets for place in range(max(i, start), min(j, end))}
    for first, last in itertools.combinations_with_replacement(range(len(encoded.ids)), 2):
        if held and held <= set(range(encoded.offsets[first][0], encoded.offsets[last][1])):
            yield first, last


@given(texts, st.data(), st.integers(8, 60), st.integers(0, 60))
def test_any_answer_comes_back_in_the_shortest_text_of_pieces_that_holds_it(
    pieces: Pieces, context: str, data: st.DataObject, length: int, stride: int
) -> None:
    assume(context)
    start = data.draw(st.integers(0, len(context) - 1))
    end = data.draw(st.integers(start + 1, min(start + 20, len(context))))
    example = SpanExample("q", "xx", context, "Why?", (context[start:end],), (start,))
    rows = build("span", [example], pieces, Lengths(length, stride), [])
    encoded = encode(pieces, context)
    whole = {
        (first, last): len(context[encoded.offsets[first][0] : encoded.offsets[last][1]].strip())
        for first, last in runs(encoded, start, end)
    }
    shortest = {run for run, size in whole.items() if size == min(whole.values())}
    gold = {
        (row.offset + row.gold[0] - row.first, row.offset + row.gold[1] - row.first)
        for row in rows
        if isinstance(row.gold, list) and row.gold != [0, 0]
    }
    assert len(gold) <= 1 and gold <= shortest
    overlap = min(stride, (length - rows[0].first - 1) // 2)
    if shortest and min(last - first for first, last in shortest) <= overlap:
        assert gold  # at least one window holds it
    for first, last in gold:
        found = text_of(context, encoded.offsets, first, last).strip()
        assert span_answers(one_hot(rows), rows, [example], pieces, len(encoded.ids)) == [found]


@given(texts, st.data(), st.integers(30, 60))
def test_an_answer_of_whole_pieces_comes_back_as_itself(
    pieces: Pieces, context: str, data: st.DataObject, length: int
) -> None:
    encoded = encode(pieces, context)
    assume(encoded.ids)
    first = data.draw(st.integers(0, len(encoded.ids) - 1))
    last = data.draw(st.integers(first, min(first + 9, len(encoded.ids) - 1)))
    begin, end = encoded.offsets[first][0], encoded.offsets[last][1]
    assume(all(stop <= begin for _, stop in encoded.offsets[:first]))  # no piece is on both sides of an end
    assume(all(start >= end for start, _ in encoded.offsets[last + 1 :]))
    answer = text_of(context, encoded.offsets, first, last).strip()
    assume(answer)
    start = context.index(answer, begin)
    example = SpanExample("q", "xx", context, "Why?", (answer,), (start,))
    rows = build("span", [example], pieces, Lengths(length, 10), [])
    assert span_answers(one_hot(rows), rows, [example], pieces, 30) == [answer]


@pytest.mark.parametrize(
    ("context", "answer"),
    [
        ("the cafe\u0301 the sky", "cafe\u0301"),  # the accent is composed into the last letter
        ("the cafe\u0301", "cafe\u0301"),
        ("a\u0302\u0323 sky", "a\u0302\u0323"),
        ("the \u1112\u1161\u11ab sky", "\u1112\u1161\u11ab"),
        ("the ｶﾞ sky", "ｶﾞ"),
        ("ক\u09c7\u09be the", "ক\u09c7\u09be"),
        ("the 7½ ﬁ sky", "7½"),
        ("\x07\x01The sky is blue", "sky"),  # dropped before the first piece
        ("\x1f\x0bThe sky is blue", "sky"),
        ("\ufeff\u200bThe sky is blue", "sky"),
        ("नमस्ते क्\u200dष sky", "क्\u200dष"),
        ("the 👩\u200d👩\u200d👧 sky", "👩\u200d👩\u200d👧"),
    ],
)
def test_hard_answers_come_back_as_themselves(pieces: Pieces, context: str, answer: str) -> None:
    example = SpanExample("q", "xx", context, "?", (answer,), (context.index(answer),))
    rows = build("span", [example], pieces, Lengths(60, 16), [])
    assert span_answers(one_hot(rows), rows, [example], pieces, 60) == [answer]


def test_a_letter_that_normalisation_takes_apart_is_not_followed_by_the_next(tmp_path: Path) -> None:
    """`ﬁn` is the pieces `f` and `in`, of which both hold the ligature."""
    pieces = Pieces(make("bpe", tmp_path))
    example = SpanExample("q", "xx", "The ﬁne sky", "?", ("ﬁ",), (4,))
    rows = build("span", [example], pieces, Lengths(60, 16), [])
    assert span_answers(one_hot(rows), rows, [example], pieces, 30) == ["ﬁ"]


def test_an_answer_that_leaves_no_piece_or_is_withheld_is_in_no_window(pieces: Pieces) -> None:
    examples = [
        SpanExample("space", "xx", "the \u3000 sky", "?", ("\u3000",), (4,)),
        SpanExample("withheld", "xx", "the sky", "?", ("",), (5,)),
    ]
    rows = build("span", examples, pieces, Lengths(60, 16), [])
    held = {place for begin, end in encode(pieces, "the \u3000 sky").offsets for place in range(begin, end)}
    assert [row.gold for row in rows][4 in held :] == [[0, 0]] * (2 - (4 in held))


@given(
    st.lists(texts.filter(bool), min_size=1, max_size=25), st.data(), st.integers(8, 60), st.integers(0, 60)
)
def test_every_word_has_its_own_tag_however_long_the_sentence(
    pieces: Pieces, sentence: list[str], data: st.DataObject, length: int, stride: int
) -> None:
    tags = data.draw(st.lists(st.sampled_from(LABELS), min_size=len(sentence), max_size=len(sentence)))
    example = TaggedExample("s", "xx", tuple(sentence), tuple(tags))
    rows = build("tagging", [example], pieces, Lengths(length, stride), LABELS)
    firsts = [ids[0] for ids in pieces.words(sentence)]
    logits, seen = [], set()
    for row in rows:
        assert isinstance(row.gold, list)
        assert len(row.gold) == len(row.words) == len(row.ids) <= length
        for word, gold, piece in zip(row.words, row.gold, row.ids, strict=True):
            assert (
                (gold, piece) == (LABELS.index(tags[word]), firsts[word])
                if word != NO_WORD
                else gold == IGNORED
            )
        seen |= set(row.words)
        logits.append(np.array([[float(label == gold) for label in range(3)] for gold in row.gold]))
    assert seen - {NO_WORD} == set(range(len(sentence)))
    assert word_tags(logits, rows, [example], LABELS) == [tags]
