"""Windows, spans and tags: whatever is cut, gold labels come back through decoding as they went in."""

import itertools
import unicodedata

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from tiny_models import LINES

from xstilts.data.examples import ChoiceExample, PairExample, SpanExample, TaggedExample
from xstilts.errors import TrainingError
from xstilts.model.features import NO_WORD, Feature, Lengths, build, windows
from xstilts.model.heads import IGNORED
from xstilts.model.pieces import Pieces
from xstilts.prediction.predict import span_answers, word_tags

ODD = "\u200b\u200d\u00ad\u0301\u093c\u094d\u0e33\u0e49½ﬁ㎏①…\u3000 \u00a0e\u0301क्षि가🙂́"
odd_texts = st.text(alphabet=ODD, max_size=12)
contexts = st.lists(st.sampled_from(LINES) | odd_texts | st.text(max_size=8), min_size=1, max_size=5).map(
    " ".join
)
words = st.lists(
    st.sampled_from([word for line in LINES for word in line.split()]) | odd_texts | st.text(max_size=5),
    min_size=1,
    max_size=30,
)
LABELS = ["A", "B", "C"]


@given(st.integers(0, 300), st.integers(1, 40), st.integers(0, 39))
def test_windows_cover_everything_and_move_forward(length: int, room: int, stride: int) -> None:
    assume(stride < room)
    found = list(windows(length, room, stride))
    assert found[0][0] == 0 and found[-1][1] == length
    assert all(end - begin <= room for begin, end in found)
    for (begin, end), (next_begin, next_end) in itertools.pairwise(found):
        assert begin < next_begin and end < next_end
        assert end - next_begin == stride


@pytest.mark.parametrize(("room", "stride"), [(4, 4), (4, 5), (0, 0)])
def test_windows_that_would_not_move_are_an_error(room: int, stride: int) -> None:
    with pytest.raises(TrainingError, match="do not move forward"):
        list(windows(10, room, stride))


def perfect_spans(rows: list[Feature]) -> list[np.ndarray]:
    """Logits of 1 where the answer starts and ends, in the windows that hold it."""
    found = []
    for row in rows:
        logits = np.zeros((len(row.ids), 2))
        assert isinstance(row.gold, list)
        for column, position in enumerate(row.gold):
            logits[position, column] = 1.0
        found.append(logits)
    return found


@given(st.data(), contexts)
def test_an_answer_comes_back_as_itself(pieces: Pieces, data: st.DataObject, context: str) -> None:
    (encoded,) = pieces.encode([context])
    assume(encoded.ids)
    first = data.draw(st.integers(0, len(encoded.ids) - 1))
    last = data.draw(st.integers(first, min(first + 7, len(encoded.ids) - 1)))
    assume(pieces.tokenizer.id_to_token(encoded.ids[last]) != "▁")  # at the start it stands for no character
    begin, end = encoded.offsets[first][0], encoded.offsets[last][1]
    answer = context[begin:end].strip()
    assume(answer)
    start = begin + context[begin:end].index(answer)
    example = SpanExample("q", "en", context, "Why is the sky blue?", (answer,), (start,))
    rows = build("span", [example], pieces, Lengths(40, 12), [])
    (found,) = span_answers(perfect_spans(rows), rows, [example], pieces, 30)
    if found != answer:  # cut between a letter and its accent, it may come back with the accent
        whole, longer = (unicodedata.normalize("NFKC", context[begin:to]) for to in (end, end + 1))
        assert not longer.startswith(whole)
        assert found.startswith(answer) and context[start:].startswith(found)
        assert not unicodedata.normalize("NFKC", found).startswith(unicodedata.normalize("NFKC", answer))


@pytest.mark.parametrize(
    ("context", "answer"),
    [
        ("昨天我在北京买了三本书,今天去上海。", "北京"),
        ("東京は日本の首都です。人口は約1400万人です。", "日本"),
        ("กรุงเทพมหานครเป็นเมืองหลวงของประเทศไทย น้ำท่วมทุกปี", "น้ำท่วมทุกปี"),
        ("القاهرة عاصمة مصر، ويبلغ عدد سكانها تسعة ملايين.", "عاصمة مصر"),
        ("दिल्ली भारत की राजधानी है। यहाँ बहुत लोग रहते हैं।", "राजधानी"),
        (unicodedata.normalize("NFD", "Ça va, élève? Žluťoučký kůň."), unicodedata.normalize("NFD", "élève")),
    ],
)
def test_answers_of_many_scripts(pieces: Pieces, context: str, answer: str) -> None:
    example = SpanExample("q", "xx", context, "?", (answer,), (context.index(answer),))
    rows = build("span", [example], pieces, Lengths(48, 16), [])
    (found,) = span_answers(perfect_spans(rows), rows, [example], pieces, 30)
    assert answer in found
    assert len(found) <= len(answer) + 4  # pieces need not end where the answer does


def test_no_answer_points_at_the_first_piece(pieces: Pieces) -> None:
    examples = [
        SpanExample("none", "en", LINES[0], "?", (), ()),
        SpanExample("withheld", "en", LINES[0], "?", ("",), (0,)),
        SpanExample("empty", "en", "", "?", (), ()),
    ]
    rows = build("span", examples, pieces, Lengths(64, 16), [])
    assert [row.gold for row in rows] == [[0, 0]] * len(rows)
    logits = [np.zeros((len(row.ids), 2)) for row in rows]
    assert span_answers(logits, rows, examples, pieces, 5)[2] == ""


@given(st.integers(8, 60), st.integers(0, 60), st.integers(0, 3), st.integers(0, 3))
def test_no_row_is_too_long_and_nothing_is_cut(
    pieces: Pieces, length: int, stride: int, question: int, context: int
) -> None:
    asked, told = " ".join(LINES[:question]), " ".join(LINES[:context])
    example = SpanExample("q", "en", told, asked, (), ())
    rows = build("span", [example], pieces, Lengths(length, stride), [])
    (encoded,) = pieces.encode([told])
    covered: dict[int, int] = {}
    for row in rows:
        assert len(row.ids) <= length
        for place, piece in enumerate(row.ids[row.first : -1]):
            assert covered.setdefault(row.offset + place, piece) == piece
    assert [covered[i] for i in range(len(covered))] == encoded.ids


@given(words, st.data(), st.integers(8, 40), st.integers(0, 40))
def test_tags_come_back_as_themselves(
    pieces: Pieces, sentence: list[str], data: st.DataObject, length: int, stride: int
) -> None:
    tags = data.draw(st.lists(st.sampled_from(LABELS), min_size=len(sentence), max_size=len(sentence)))
    example = TaggedExample("s", "en", tuple(sentence), tuple(tags))
    rows = build("tagging", [example], pieces, Lengths(length, stride), LABELS)
    logits = []
    for row in rows:
        assert isinstance(row.gold, list)
        assert len(row.gold) == len(row.words) == len(row.ids) <= length
        logits.append(np.array([[float(label == gold) for label in range(3)] for gold in row.gold]))
    assert word_tags(logits, rows, [example], LABELS) == [tags]
    tagged = {word for row in rows for word in row.words} - {NO_WORD}
    assert tagged == set(range(len(sentence)))


def test_where_windows_overlap_the_one_with_more_context_decides() -> None:
    example = TaggedExample("s", "en", tuple("abcd"), None)
    rows = [
        Feature(0, [0] * 5, words=[NO_WORD, 0, 1, 2, NO_WORD]),
        Feature(0, [0] * 5, words=[NO_WORD, 1, 2, 3, NO_WORD]),
    ]
    logits = [np.eye(3)[[0, 0, 0, 0, 0]], np.eye(3)[[1, 1, 1, 1, 1]]]
    assert word_tags(logits, rows, [example], LABELS) == [["A", "A", "B", "B"]]


def test_untagged_sentences_have_no_gold(pieces: Pieces) -> None:
    example = TaggedExample("s", "en", ("the", "sky"), None)
    (row,) = build("tagging", [example], pieces, Lengths(32, 8), LABELS)
    assert row.gold is None


def test_only_the_first_piece_of_a_word_has_a_gold_tag(pieces: Pieces) -> None:
    example = TaggedExample("s", "en", ("Žluťoučkýxyz", "sky"), ("B", "C"))
    (row,) = build("tagging", [example], pieces, Lengths(64, 8), LABELS)
    (long, _) = pieces.words(example.words)
    assert isinstance(row.gold, list)
    assert len(long) > 1
    assert row.gold[:3] == [IGNORED, 1, IGNORED]
    assert row.gold[1 + len(long)] == 2


def test_pairs_and_choices(pieces: Pieces) -> None:
    lengths = Lengths(16, 4)
    examples = [PairExample("1", "en", LINES[0], LINES[1], "B"), PairExample("2", "en", "", None, None)]
    pair, single = build("classification", examples, pieces, lengths, LABELS)
    assert (pair.gold, single.gold) == (1, None)
    assert len(pair.ids) == 16 and pair.ids.count(pieces.end) == 3
    assert single.ids == [pieces.start, pieces.end]
    choice = ChoiceExample("3", "en", "", "Why?", ("sky", "sea", "town"), 2)
    rows = build("multiple_choice", [choice], pieces, lengths, [])
    assert [(row.example, row.gold) for row in rows] == [(0, 2)] * 3
    assert len({tuple(row.ids) for row in rows}) == 3
