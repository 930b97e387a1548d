"""Metrics against implementations written here from the published definitions, on adversarial predictions."""

import random
import subprocess
import sys
import unicodedata
import warnings
from typing import Any

import pytest
import seqeval.metrics
from sklearn.metrics import accuracy_score

from xstilts.data.examples import ChoiceExample, PairExample, ParallelExample, SpanExample, TaggedExample
from xstilts.errors import DataError, PredictionError, RegistryError
from xstilts.scoring import headline, score
from xstilts.scoring.qa import mlqa_normalise, squad_normalise

SETS = 1000
LABELS = ["contradiction", "entailment", "neutral"]
UD = "ADJ ADP ADV AUX CCONJ DET INTJ NOUN NUM PART PRON PROPN PUNCT SCONJ SYM VERB X".split()
NER = ["O", *(f"{prefix}-{kind}" for prefix in "BIES" for kind in ("PER", "LOC"))]
PANX = "B-LOC B-ORG B-PER I-LOC I-ORG I-PER O".split()
FRAGMENTS = [
    "", " ", "a", "A", "an", "the", "The", "thé", "cat", "cats", "theme", ".", ",", "!?", "'s", "-", "_",
    "$5", "«", "»", "。", "，", "北京", "東京", "de", "İ", "ß", "ǅ", "e\u0301", "a\u0301", "the\u0308",
    "\u200d", "\u00a0", "\u2009", "\n", "\t", "\x85", "١٢", "۔", "العربية", "ไทย", "မြန်မာ", "1,000",
    "a_the_an", "\U0001f600",
]  # fmt: skip


def pair(index: int, label: str | None) -> PairExample:
    return PairExample(f"id{index}", "en", "one", "two", label)


def span(index: int, *answers: str, language: str = "en") -> SpanExample:
    return SpanExample(f"id{index}", language, "context", "question", answers, (0,) * len(answers))


def tagged(index: int, tags: list[str] | None, words: int | None = None) -> TaggedExample:
    count = len(tags) if tags is not None else words or 1
    return TaggedExample(f"id{index}", "en", ("w",) * count, None if tags is None else tuple(tags))


def parallel(count: int) -> list[ParallelExample]:
    return [ParallelExample(f"id{i}", "de", f"Satz {i}", f"sentence {i}") for i in range(count)]


def by_id(examples: list[Any], predictions: list[Any]) -> dict[str, Any]:
    return {example.id: value for example, value in zip(examples, predictions, strict=True)}


# SQuAD v1.1, from its published definition, without regular expressions or counters.


def squad_words(text: str) -> list[str]:
    kept = "".join(c for c in text.lower() if c not in "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~")
    runs: list[str] = []
    for character in kept:
        inside = character.isalnum()
        if runs and inside and runs[-1][-1].isalnum():
            runs[-1] += character
        else:
            runs.append(character)
    return "".join(" " if run in ("a", "an", "the") else run for run in runs).split()


def best_of(left: list[str], answers: list[list[str]]) -> tuple[float, float]:
    """Exact match and F1 of a prediction's words, over the words of each gold answer."""
    exact = f1 = 0.0
    for right in answers:
        exact = max(exact, float(left == right))
        rest, shared = list(right), 0
        for word in left:
            if word in rest:
                rest.remove(word)
                shared += 1
        f1 = max(f1, 2 * shared / (len(left) + len(right)) if shared else 0.0)
    return exact, f1


def squad_pair(predicted: str, answers: tuple[str, ...]) -> tuple[float, float]:
    return best_of(squad_words(predicted), [squad_words(answer) for answer in answers])


def random_text(draw: random.Random) -> str:
    return draw.choice(["", " "]).join(draw.choices(FRAGMENTS, k=draw.randrange(6)))


def test_squad_scores_equal_the_published_definition() -> None:
    draw = random.Random(1)
    for _ in range(SETS):
        examples, answers = [], []
        for index in range(draw.randrange(1, 6)):
            golden = [random_text(draw) or "x" for _ in range(draw.randrange(1, 4))]
            examples.append(span(index, *golden))
            answers.append(draw.choice([random_text(draw), golden[0], golden[0] + "!", f"the {golden[-1]}"]))
        found = score("span", examples, by_id(examples, answers))
        pairs = [squad_pair(a, e.answers) for a, e in zip(answers, examples, strict=True)]
        assert found["exact_match"].outcomes == tuple(exact for exact, _ in pairs)
        assert found["f1"].outcomes == pytest.approx([f1 for _, f1 in pairs], abs=1e-12)
        assert found["exact_match"].value == pytest.approx(sum(e for e, _ in pairs) / len(pairs), abs=1e-12)
        assert found["f1"].value == pytest.approx(sum(f for _, f in pairs) / len(pairs), abs=1e-12)
        assert found["f1"].n == found["exact_match"].n == len(examples)


@pytest.mark.parametrize(
    ("predicted", "answers", "exact", "f1"),
    [
        ("the Cat.", ("cat",), 1.0, 1.0),
        ("!", ("...",), 1.0, 0.0),  # both are empty once normalised: a match without a shared word
        ("", ("cat",), 0.0, 0.0),
        ("cat sat", ("cat", "cat sat down"), 0.0, 0.8),
        ("cat cat", ("cat",), 0.0, 2 / 3),
        ("STRASSE", ("Straße",), 0.0, 0.0),  # lower case, not case folding
        ("", (), 1.0, 1.0),  # an unanswerable question
        ("the", (), 1.0, 1.0),
        ("cat", (), 0.0, 0.0),
    ],
)
def test_squad_cases(predicted: str, answers: tuple[str, ...], exact: float, f1: float) -> None:
    found = score("span", [span(0, *answers)], {"id0": predicted})
    assert (found["exact_match"].value, found["f1"].value) == (exact, pytest.approx(f1))


def test_punctuation_of_other_scripts_is_kept_by_squad() -> None:
    assert squad_normalise("«The End» — 北京。") == "« end» — 北京。"


# SQuAD v2.0: gold answers without any word do not count; where none is left, and where either side has no
# word, both scores are 1 if neither has one, else 0.


def squad2_pair(predicted: str, answers: tuple[str, ...]) -> tuple[float, float]:
    left = squad_words(predicted)
    golden = [words for words in map(squad_words, answers) if words]
    if not golden or not left:
        same = float(not golden and not left)
        return same, same
    return best_of(left, golden)


def test_squad_2_scores_equal_the_published_definition() -> None:
    """Where every gold answer has a word: one of articles and punctuation alone counts, as in v1.1."""
    draw = random.Random(6)
    for _ in range(SETS):
        examples, answers = [], []
        for index in range(draw.randrange(1, 6)):
            golden = [f"{random_text(draw)} cat" for _ in range(draw.randrange(0, 3))]
            examples.append(span(index, *golden))
            answers.append(draw.choice([random_text(draw), *golden, "", "the", "..."]))
        found = score("span", examples, by_id(examples, answers))
        pairs = [squad2_pair(a, e.answers) for a, e in zip(answers, examples, strict=True)]
        assert found["exact_match"].outcomes == tuple(exact for exact, _ in pairs)
        assert found["f1"].outcomes == pytest.approx([f1 for _, f1 in pairs], abs=1e-12)


# MLQA, from its published definition: lower case; no character of ASCII's or Unicode's punctuation; no
# article of the language, as a word (in Arabic, the two letters wherever they stand); then words between
# white space, in Chinese each ideograph from U+4E00 to U+9FA5 a word of its own.

ARTICLES = {
    "en": "a an the",
    "es": "un una unos unas el la los las",
    "de": "ein eine einen einem eines einer der die das den dem des",
    "vi": "của là cái chiếc những",
    "ar": "", "hi": "", "zh": "",
}  # fmt: skip
MLQA_FRAGMENTS = [
    *"el la los Der DEM des eine einer của Là những cua là\u0300 ال ألم الكتاب كتابال والكتاب".split(),
    *"的北京大学 龥 龦 一 㐀 東京 2018年 北京ABC क़लम किताब,".split(),
    *"¿Qué? ¡Sí! „Haus“ ‚x‘ » … — ‐ ‿ · • ※ ⁂ ₫ € + < > ^ | ~ ` ´".split(),
    *"la-casa l'a der/die I\u0307 ẞ Ǆ 、 「京」 《a》 ％ ﹏ ؟ ، ٪ । ॥ ॰ 𑁍 \U0010ffff".split(),
]  # fmt: skip


def mlqa_words(text: str, language: str) -> list[str]:
    bare = [c for c in text.lower() if unicodedata.category(c)[0] != "P" and c not in "$+<=>^`|~"]
    runs: list[str] = []
    for c in bare:
        inside = c.isalnum() or c == "_"
        if runs and inside and (runs[-1][-1].isalnum() or runs[-1][-1] == "_"):
            runs[-1] += c
        else:
            runs.append(c)
    kept = "".join(" " if run in ARTICLES[language].split() else run for run in runs)
    if language == "ar":
        kept = " ".join(kept.split("\u0627\u0644"))
    if language == "zh":
        kept = "".join(f" {c} " if 0x4E00 <= ord(c) <= 0x9FA5 else c for c in kept)
    return kept.split()


@pytest.mark.parametrize("language", sorted(ARTICLES))
def test_mlqa_scores_equal_the_published_definition(language: str) -> None:
    draw = random.Random(language)

    def text() -> str:
        return draw.choice(["", " "]).join(draw.choices(MLQA_FRAGMENTS + FRAGMENTS, k=draw.randrange(6)))

    for _ in range(SETS):
        golden = [
            tuple(text() or "x" for _ in range(draw.randrange(1, 4))) for _ in range(draw.randrange(1, 6))
        ]
        examples = [span(index, *answers, language=language) for index, answers in enumerate(golden)]
        answers = [draw.choice([text(), own[0], f"{own[-1]}!", f"la {own[0]}", ""]) for own in golden]
        found = score("span", examples, by_id(examples, answers), (), "mlqa")
        pairs = [
            best_of(mlqa_words(answer, language), [mlqa_words(gold, language) for gold in own])
            for answer, own in zip(answers, golden, strict=True)
        ]
        assert found["exact_match"].outcomes == tuple(exact for exact, _ in pairs)
        assert found["f1"].outcomes == pytest.approx([f1 for _, f1 in pairs], abs=1e-12)
        assert found["f1"].value == pytest.approx(sum(f for _, f in pairs) / len(pairs), abs=1e-12)


@pytest.mark.parametrize(
    ("language", "text", "normal"),
    [
        ("en", "The Cat, «a» dog.", "cat dog"),
        ("de", "Die Häuser der Stadt", "häuser stadt"),
        ("es", "¿El gato?", "gato"),
        ("vi", "Những con mèo của tôi", "con mèo tôi"),
        ("ar", "والكتاب", "و كتاب"),
        ("hi", "राम।", "राम"),
        ("zh", "2018年，北京ABC大学", "2018 年 北 京 abc 大 学"),
        ("zh", "the 㐀龦", "the 㐀龦"),
    ],
)
def test_mlqa_normalises_by_language(language: str, text: str, normal: str) -> None:
    assert mlqa_normalise(text, language) == normal


def test_mlqa_knows_its_languages_only() -> None:
    with pytest.raises(RegistryError, match="'fr'"):
        score("span", [span(0, "chat", language="fr")], {"id0": "chat"}, (), "mlqa")


# seqeval 1.2.2 on bare tags, from the definition of conlleval: a tag is a prefix (its first letter) and a
# type (the rest, without a hyphen; `_` if nothing is left), and O stands between sentences.


def conll_chunks(sentences: list[list[str]]) -> set[tuple[str, int, int]]:
    tags = [
        (tag[0], tag[1:].partition("-")[2] if "-" in tag[1:] else tag[1:])
        for s in sentences
        for tag in [*s, "O"]
    ]
    sequence = [(prefix, kind or "_") for prefix, kind in tags] + [("O", "_")]
    chunks, begin, before = set(), 0, ("O", "")
    for position, now in enumerate(sequence):
        changed = before[1] != now[1]
        pair = before[0] + now[0]
        ends = (
            before[0] in "ES"
            or pair in ("BB", "BS", "BO", "IB", "IS", "IO")
            or (before[0] not in "O." and changed)
        )
        starts = (
            now[0] in "BS" or pair in ("EE", "EI", "SE", "SI", "OE", "OI") or (now[0] not in "O." and changed)
        )
        if ends:
            chunks.add((before[1], begin, position - 1))
        begin = position if starts else begin
        before = now
    return chunks


def conll_f1(golden: list[list[str]], predicted: list[list[str]]) -> float:
    expected, found = conll_chunks(golden), conll_chunks(predicted)
    return 2 * len(expected & found) / (len(expected) + len(found)) if expected & found else 0.0


@pytest.mark.parametrize(
    "tags",
    [UD, ["NOUN", "X", "SCONJ", "CCONJ", "INTJ"], NER, PANX, ["O", "I-PER", "I-LOC"]],
    ids=["ud", "traps", "ner", "panx", "no beginnings"],
)
def test_seqeval_equals_conlleval(tags: list[str]) -> None:
    draw = random.Random(2)
    for _ in range(SETS):
        lengths = [draw.randrange(1, 8) for _ in range(draw.randrange(1, 5))]
        golden = [draw.choices(tags, k=length) for length in lengths]
        wrong = draw.choice([0.0, 0.2, 0.5, 1.0])
        predicted = [[draw.choice(tags) if draw.random() < wrong else tag for tag in s] for s in golden]
        examples = [tagged(index, sentence) for index, sentence in enumerate(golden)]
        found = score("tagging", examples, by_id(examples, predicted), tags)
        flat = [[tag for sentence in side for tag in sentence] for side in (golden, predicted)]
        assert found["f1"].value == pytest.approx(conll_f1(golden, predicted), abs=1e-12)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            assert found["f1"].value == seqeval.metrics.f1_score(golden, predicted)
        assert found["tag_accuracy"].value == pytest.approx(accuracy_score(*flat), abs=1e-12)
        assert (found["f1"].n, found["tag_accuracy"].n) == (len(examples), sum(lengths))


@pytest.mark.parametrize(
    ("golden", "predicted", "f1"),
    [
        (["NOUN", "VERB"], ["NOUN", "VERB"], 1.0),
        (["NOUN", "NOUN"], ["NOUN", "VERB"], 0.0),  # two nouns side by side are one chunk
        (["CCONJ", "NOUN"], ["SCONJ", "NOUN"], 1.0),  # seqeval cannot tell them apart
        (["NOUN", "X"], ["NOUN", "VERB"], 2 / 3),  # the last X is no chunk, else this would be 1/2
    ],
)
def test_what_seqeval_makes_of_bare_tags(golden: list[str], predicted: list[str], f1: float) -> None:
    found = score("tagging", [tagged(0, golden)], {"id0": predicted}, UD)
    assert found["f1"].value == pytest.approx(f1)


def test_classification_equals_scikit_learn() -> None:
    draw = random.Random(3)
    for _ in range(SETS):
        size = draw.randrange(1, 20)
        golden, predicted = draw.choices(LABELS, k=size), draw.choices(LABELS, k=size)
        examples = [pair(index, label) for index, label in enumerate(golden)]
        found = score("classification", examples, by_id(examples, predicted), LABELS)["accuracy"]
        assert found.value == pytest.approx(accuracy_score(golden, predicted), abs=1e-15)
        assert found.outcomes == tuple(float(a == b) for a, b in zip(golden, predicted, strict=True))


def test_multiple_choice_equals_scikit_learn() -> None:
    draw = random.Random(4)
    for _ in range(SETS):
        size = draw.randrange(1, 20)
        golden, predicted = draw.choices(range(3), k=size), draw.choices(range(3), k=size)
        examples = [ChoiceExample(f"id{i}", "en", "c", "q", ("x", "y", "z"), g) for i, g in enumerate(golden)]
        found = score("multiple_choice", examples, by_id(examples, predicted))["accuracy"]
        assert found.value == pytest.approx(accuracy_score(golden, predicted), abs=1e-15)


def test_retrieval_equals_scikit_learn() -> None:
    draw = random.Random(5)
    for _ in range(SETS):
        examples = parallel(draw.randrange(1, 20))
        found = [draw.choice([line, draw.randrange(len(examples))]) for line in range(len(examples))]
        value = score("retrieval", examples, by_id(examples, [((k, 1.0),) for k in found]))["accuracy"].value
        assert value == pytest.approx(accuracy_score(range(len(examples)), found), abs=1e-15)


def test_predictions_may_come_in_any_order() -> None:
    examples = [pair(index, LABELS[index % 3]) for index in range(9)]
    predictions = {example.id: "neutral" for example in reversed(examples)}
    assert score("classification", examples, predictions, LABELS)["accuracy"].value == pytest.approx(1 / 3)


def test_value_is_the_weighted_mean_of_outcomes() -> None:
    examples = [tagged(0, ["NOUN"]), tagged(1, ["VERB", "VERB", "ADJ"])]
    found = score("tagging", examples, {"id0": ["NOUN"], "id1": ["VERB", "ADJ", "ADJ"]}, UD)["tag_accuracy"]
    assert (found.outcomes, found.weights, found.n) == ((1.0, 2 / 3), (1, 3), 4)
    assert found.value == pytest.approx(0.75)


def test_sentences_without_entities_or_words() -> None:
    assert score("tagging", [tagged(0, ["O", "O"])], {"id0": ["O", "O"]}, PANX)["f1"].value == 0.0
    with pytest.raises(DataError, match="without words") as caught:
        score("tagging", [tagged(0, [])], {"id0": []}, PANX)
    assert caught.value.where == "id0"


@pytest.mark.parametrize("task_type", ["classification", "multiple_choice", "span", "tagging"])
def test_every_scorer_names_missing_and_extra_ids(task_type: Any) -> None:
    golden: dict[str, Any] = {
        "classification": pair(0, "neutral"),
        "multiple_choice": ChoiceExample("id0", "en", "c", "q", ("x", "y"), 0),
        "span": span(0, "cat"),
        "tagging": tagged(0, ["NOUN"]),
    }
    with pytest.raises(PredictionError, match=r"1 of 1 .*: id0; 1 predictions .*: id1"):
        score(task_type, [golden[task_type]], {"id1": "neutral"})


@pytest.mark.parametrize("count", [1, 3, 8])
def test_missing_and_extra_ids_are_named(count: int) -> None:
    examples = [pair(index, "neutral") for index in range(10)]
    predictions = {example.id: "neutral" for example in examples[count:]} | {"stranger": "neutral"}
    with pytest.raises(PredictionError, match=rf"{count} of 10 .*id0.*; 1 predictions .*stranger"):
        score("classification", examples, predictions, LABELS)


@pytest.mark.parametrize(
    ("task_type", "example", "prediction", "named"),
    [
        ("classification", pair(0, "neutral"), "maybe", "maybe"),
        ("classification", pair(0, "neutral"), "", "''"),
        ("multiple_choice", ChoiceExample("id0", "en", "c", "q", ("x", "y"), 0), 2, "choice 2"),
        ("multiple_choice", ChoiceExample("id0", "en", "c", "q", ("x", "y"), 0), -1, "choice -1"),
        ("retrieval", parallel(1)[0], ((1, 0.5),), "candidate 1"),
        ("retrieval", parallel(1)[0], ((-1, 0.5),), "candidate -1"),
        ("retrieval", parallel(1)[0], (), "empty"),
        ("tagging", tagged(0, ["NOUN"]), ["NUON"], "NUON"),
        ("tagging", tagged(0, ["NOUN", "VERB"]), ["NOUN"], "1 tags for 2 words"),
    ],
)
def test_impossible_predictions(task_type: Any, example: Any, prediction: Any, named: str) -> None:
    labels = UD if task_type == "tagging" else LABELS if task_type == "classification" else []
    with pytest.raises(PredictionError, match=named) as caught:
        score(task_type, [example], {"id0": prediction}, labels)
    assert "id0" in caught.value.where


def test_no_examples() -> None:
    with pytest.raises(PredictionError, match="no examples"):
        score("classification", [], {}, LABELS)


@pytest.mark.parametrize(
    ("task_type", "example", "prediction"),
    [
        ("classification", pair(0, None), "neutral"),
        ("tagging", tagged(0, None), ["NOUN"]),
        ("span", span(0, ""), "cat"),
        ("multiple_choice", ChoiceExample("id0", "en", "c", "q", ("x", "y"), None), 0),
    ],
)
def test_examples_without_gold(task_type: Any, example: Any, prediction: Any) -> None:
    with pytest.raises(DataError, match="no gold label: id0"):
        score(task_type, [example], {"id0": prediction}, ())


def test_examples_of_one_id() -> None:
    with pytest.raises(DataError, match="id0"):
        score("classification", [pair(0, "neutral"), pair(0, "neutral")], {"id0": "neutral"}, LABELS)


def test_headline_is_for_predictions_in_order() -> None:
    examples = [pair(0, "neutral"), pair(1, "entailment")]
    assert headline("classification", examples, ["neutral", "neutral"]) == ("accuracy", 0.5)
    assert headline("span", [span(0, "cat sat")], ["cat"]) == ("f1", pytest.approx(2 / 3))


def test_scoring_and_submission_are_light() -> None:
    code = (
        "import sys, xstilts.scoring, xstilts.prediction.submission as s;"
        "print(sorted({'torch', 'sklearn', 'seqeval', 'transformers', 'pandas', 'numpy'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
