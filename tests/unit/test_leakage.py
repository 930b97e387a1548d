"""What counts as the same text, and what is therefore kept out of training."""

import unicodedata
from pathlib import Path

import pandas as pd
import pytest
import regex  # type: ignore[import-untyped]
from hypothesis import given
from hypothesis import strategies as st

from xstilts.data.examples import (
    ChoiceExample,
    Example,
    PairExample,
    ParallelExample,
    QueryExample,
    SpanExample,
    TaggedExample,
)
from xstilts.data.leakage import (
    COLUMNS,
    EvaluationKeys,
    is_long_enough,
    is_sentence,
    keys_of,
    leakage_rows,
    leakage_table,
    normalise,
    write_keys,
)
from xstilts.errors import DataError

normalise("")  # builds its table, which hypothesis would else count as the time of an example

characters = st.characters(exclude_categories=["Cs", "Co", "Cn"])


def independent(text: str) -> str:
    """The same definition by the library `regex` and its own Unicode tables."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    points = r"[\p{Mn}&&[\p{Block=Arabic}\p{Block=Hebrew}]]"
    # Outside the two blocks there are further Arabic points, which the text of no corpus here uses.
    left = regex.sub(rf"(?V1)[\p{{P}}\p{{S}}\p{{Z}}\p{{Cc}}\p{{Cf}}]|{points}", "", folded)
    return str(unicodedata.normalize("NFC", left))


@given(st.text(st.one_of(characters.filter(lambda c: c < "\u0870"), st.sampled_from("सु्ประเ中あ한😀—。“ ́"))))
def test_normalisation_agrees_with_an_independent_one(text: str) -> None:
    assert normalise(text) == independent(text)


@given(st.text(characters))
def test_normalisation_is_stable(text: str) -> None:
    assert normalise(normalise(text)) == normalise(text)


@given(st.text(st.characters(codec="ascii")), st.text(st.sampled_from(" .,;:!?\"'()-$\u200c\ufeff\t\n")))
def test_case_punctuation_and_white_space_do_not_count(text: str, noise: str) -> None:
    middle = len(text) // 2
    assert normalise(text[:middle].upper() + noise + text[middle:]) == normalise(text)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("It 's a well-known fact .", "It’s a well known fact"),
        ("ﬁnden ＡＢＣ １２", "finden abc 12"),
        ("STRASSE", "Straße"),
        ("هل فقدت صوابك؟", "هل فقدتَ صَوابَك"),
        ("می‌روم", "میروم"),
        ("我 爱 你 。", "我爱你"),
    ],
)
def test_spellings_of_the_same_text_are_equal(one: str, other: str) -> None:
    assert normalise(one) == normalise(other)


@pytest.mark.parametrize(("one", "other"), [("कि", "का"), ("schon", "schön"), ("3 Tage", "4 Tage")])
def test_different_texts_stay_different(one: str, other: str) -> None:
    assert normalise(one) != normalise(other)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Haus", False),
        ("ein Haus im Wald", True),
        ("我爱你", False),
        ("我爱北京天安门", True),
        ("...", False),
    ],
)
def test_only_texts_of_some_length_count(text: str, expected: bool) -> None:
    assert is_long_enough(normalise(text)) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("I see you.", True),
        ("I see .", False),
        ("Internationalisation anyhow", False),
        ("今天天气很好", True),
        ("我爱你", False),
        ("ฉันรักเธอมากที่สุด", True),
        ("ฉันรักเธอ", False),
        ("အလွန်ကောင်းပါတယ်", True),
        ("...", False),
    ],
)
def test_a_sentence_has_three_words_or_some_length_where_words_are_not_spaced(
    text: str, expected: bool
) -> None:
    assert is_sentence(text) is expected


def table(*entries: tuple[str, Example]) -> pd.DataFrame:
    rows = [(key, kind, dataset, "en") for dataset, example in entries for kind, key in keys_of(example)]
    return pd.DataFrame(rows, columns=COLUMNS)


PARAGRAPH = "The tower in Paris is made of iron."
QUESTION = SpanExample("1", "en", PARAGRAPH, "What is the tower made of?", ("iron",), (30,))


@pytest.fixture
def keys() -> EvaluationKeys:
    entries: list[tuple[str, Example]] = [
        ("xnli", PairExample("1", "en", "A man sleeps on a bench.", "He is awake.", "contradiction")),
        ("xquad", QUESTION),
        ("xquad_r", QUESTION),
        ("udpos", TaggedExample("1", "en", ("It", "'s", "raining", "again", "."), None)),
        ("udpos", TaggedExample("2", "en", ("Yes", "!"), None)),
        ("xcopa", ChoiceExample("1", "en", "The lights went out.", "cause", ("storm", "noon"), 0)),
        ("tatoeba", ParallelExample("1", "zh", "我爱你", "Hi.")),
        ("tatoeba", ParallelExample("2", "zh", "今天天气很好", "I see you.")),
        ("tatoeba", ParallelExample("3", "de", "Niemand weiß es.", "Nobody knows.")),
    ]
    return EvaluationKeys(table(*entries))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a man sleeps on a bench", ("xnli",)),
        ("What is the tower made of", ("xquad", "xquad_r")),
        (PARAGRAPH.upper(), ("xquad", "xquad_r")),
        ("It's raining again.", ("udpos",)),
        ("Yes.", ()),
        ("Storm!", ()),
        ("我爱你。", ("tatoeba",)),
        ("hi", ("tatoeba",)),
        ("", ()),
        ("A man sleeps.", ()),
        ("He is awake!", ("xnli",)),
    ],
)
def test_lines_of_text_are_compared_with_sentences_and_paragraphs(
    keys: EvaluationKeys, text: str, found: tuple[str, ...]
) -> None:
    assert keys.of_text(text) == found


@pytest.mark.parametrize(
    ("example", "found"),
    [
        (PairExample("x", "en", "A man sleeps on a bench", "He is awake", "neutral"), ("xnli",)),
        (PairExample("x", "en", "A man sleeps on a bench", "He is asleep", "neutral"), ("xnli",)),
        (PairExample("x", "en", "He sits", "a man sleeps on a BENCH!", "neutral"), ("xnli",)),
        (PairExample("x", "en", "A man sleeps", "Yes", "neutral"), ()),
        (PairExample("x", "en", "Nobody knows.", "I see you!", "neutral"), ("tatoeba",)),
        (PairExample("x", "zh", "我爱你", "今天天气很好", None), ("tatoeba",)),
        (TaggedExample("x", "en", ("I", "see", "you", "."), ("X",) * 4), ("tatoeba",)),
        (TaggedExample("x", "en", ("Nobody", "knows", "."), ("X",) * 3), ()),
        (SpanExample("x", "en", "A man sleeps on a bench.", "Who?", ("man",), (2,)), ("xnli",)),
        (SpanExample("x", "en", PARAGRAPH, "Where is it?", ("Paris",), (13,)), ("xquad", "xquad_r")),
        (SpanExample("x", "en", "Iron rusts.", QUESTION.question, ("Iron",), (0,)), ()),
        (TaggedExample("x", "en", ("It's", "raining", "again"), ("X", "X", "X")), ("udpos",)),
        (TaggedExample("x", "en", ("Yes",), ("INTJ",)), ()),
        (ChoiceExample("x", "en", "The lights went out", "cause", ("noon", "storm"), 1), ("xcopa",)),
        (ChoiceExample("x", "en", "The lights went out", "effect", ("noon", "storm"), 1), ("xcopa",)),
        (ChoiceExample("x", "en", "", "The lights went out.", ("noon", "storm"), 1), ("xcopa",)),
        (ChoiceExample("x", "en", "It rained.", "The lights went out.", ("noon", "storm"), 1), ()),
        (ChoiceExample("x", "en", "It rained.", "", ("The lights went out.", "storm"), 1), ()),
        (QueryExample("x", "en", "?", "", PARAGRAPH, ("a",)), ("xquad", "xquad_r")),
        (QueryExample("x", "en", "?", "A man sleeps on a bench", "", ("a",)), ("xnli",)),
        (
            QueryExample("x", "en", "?", "", "", ("a",), ("s", f"Iron rusts.\n{PARAGRAPH}")),
            ("xquad", "xquad_r"),
        ),
    ],
)
def test_examples_are_compared_as_a_whole_and_by_their_sentences_and_paragraphs(
    keys: EvaluationKeys, example: Example, found: tuple[str, ...]
) -> None:
    assert keys.of_example(example) == found


def test_a_translation_pair_is_compared_by_either_side(keys: EvaluationKeys) -> None:
    assert keys.of_pair(ParallelExample("x", "de", "Hallo", "Hi!")) == ("tatoeba",)
    assert keys.of_pair(ParallelExample("x", "zh", "我爱你", "I love you")) == ("tatoeba",)
    assert keys.of_pair(ParallelExample("x", "de", "Hallo", "Hello")) == ()


def test_keys_survive_writing_and_reading(tmp_path: Path) -> None:
    path = tmp_path / "keys.parquet"
    write_keys(table(("xquad", QUESTION)), path)
    assert EvaluationKeys.load(path).of_text(PARAGRAPH) == ("xquad",)
    write_keys(table(), path)
    assert EvaluationKeys.load(path).of_text(PARAGRAPH) == ()
    path.write_bytes(b"no parquet")
    with pytest.raises(DataError, match="cannot be read"):
        EvaluationKeys.load(path)


def test_the_report_counts_each_removal_once_and_by_data_set() -> None:
    report = leakage_table(leakage_rows("text", "id", [("tatoeba",), (), ("tatoeba", "xnli")]))
    assert report.values.tolist() == [
        ["text", "train", "id", "any", 2, 3],
        ["text", "train", "id", "tatoeba", 2, 3],
        ["text", "train", "id", "xnli", 1, 3],
    ]
