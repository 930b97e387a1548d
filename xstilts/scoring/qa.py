"""Exact match and F1 of extractive question answering, by the definitions of SQuAD v1.1 and of MLQA.

They differ in how answers are normalised before they are compared. SQuAD's is that of the evaluation script
of Rajpurkar et al. 2016 (evaluate-v1.1.py), which XTREME uses for XQuAD and TyDiQA-GoldP; MLQA's that of
Lewis et al. 2020 (mlqa_evaluation_v1.py), which XTREME uses for MLQA.
"""

import re
import string
import unicodedata
from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from xstilts.data.examples import SpanExample
from xstilts.errors import RegistryError
from xstilts.registry import Normalisation
from xstilts.scoring import Measure, align, mean_measure

Normalise = Callable[[str, str], str]

_PUNCTUATION = str.maketrans("", "", string.punctuation)
_ARTICLES = re.compile(r"\b(a|an|the)\b")
_MLQA_ARTICLES = {
    "ar": "ال",  # wherever it stands: the script's other alternative, `\sال^`, can never match
    "de": r"\b(ein|eine|einen|einem|eines|einer|der|die|das|den|dem|des)\b",
    "en": _ARTICLES.pattern,
    "es": r"\b(un|una|unos|unas|el|la|los|las)\b",
    "hi": "",
    "vi": r"\b(của|là|cái|chiếc|những)\b",
    "zh": "",
}
_IDEOGRAPH = re.compile("([\u4e00-\u9fa5])")


def squad_normalise(text: str, language: str = "en") -> str:
    """Lower case without ASCII punctuation, English articles and superfluous white space.

    The rules are those of English in every language: this is how XQuAD and TyDiQA are scored.
    """
    return " ".join(_ARTICLES.sub(" ", text.lower().translate(_PUNCTUATION)).split())


def mlqa_normalise(text: str, language: str) -> str:
    """Lower case without punctuation of any script, the language's articles and superfluous white space.

    In Chinese, each ideograph is a word.

    Raises:
        RegistryError: if the language is none of MLQA's.
    """
    if language not in _MLQA_ARTICLES:
        raise RegistryError(
            f"MLQA's normalisation is not defined for the language '{language}'",
            hint=f"it is for {', '.join(_MLQA_ARTICLES)}; the others have `normalisation: squad`",
        )
    bare = "".join(
        character
        for character in text.lower()
        if not unicodedata.category(character).startswith("P") and character not in string.punctuation
    )
    if articles := _MLQA_ARTICLES[language]:
        bare = re.sub(articles, " ", bare)
    if language == "zh":
        bare = _IDEOGRAPH.sub(r" \1 ", bare)
    return " ".join(bare.split())


NORMALISATIONS: dict[Normalisation, Normalise] = {"squad": squad_normalise, "mlqa": mlqa_normalise}


def token_f1(predicted: str, answer: str) -> float:
    """F1 of the bags of words of two normalised texts; 0 if they share no word, even if both are empty."""
    words, expected = predicted.split(), answer.split()
    common = sum((Counter(words) & Counter(expected)).values())
    if common == 0:
        return 0.0
    precision, recall = common / len(words), common / len(expected)
    return 2 * precision * recall / (precision + recall)


def answer_scores(
    predicted: str, answers: Sequence[str], language: str = "en", normalise: Normalise = squad_normalise
) -> tuple[float, float]:
    """Exact match and F1 of one prediction, each the best over the gold answers.

    A question without an answer (SQuAD v2.0) is answered rightly by a text that is empty once
    normalised, as in evaluate-v2.0.py; then both scores are 1, else 0. All others are scored as by v1.1:
    a gold answer of punctuation alone counts, which v2.0 leaves out (three questions of SQuAD's have one).
    """
    text = normalise(predicted, language)
    if not answers:
        return float(not text), float(not text)
    expected = [normalise(answer, language) for answer in answers]
    return float(text in expected), max(token_f1(text, answer) for answer in expected)


def score(
    examples: Sequence[SpanExample],
    predictions: Mapping[str, str],
    labels: Sequence[str] = (),
    normalisation: Normalisation = "squad",
) -> dict[str, Measure]:
    """Metrics `f1` and `exact_match`: means over the questions.

    Args:
        examples: The questions with their gold answers.
        predictions: Answer text by question id.
        labels: Not used; all scorers take it.
        normalisation: Whose definition of the text that is compared.

    Raises:
        PredictionError: if ids are missing or extra.
        RegistryError: if the normalisation is not defined for the language of an example.
    """
    normalise = NORMALISATIONS[normalisation]
    pairs = [
        answer_scores(text, example.answers, example.language, normalise)
        for example, text in zip(examples, align(examples, predictions), strict=True)
    ]
    return {
        "f1": mean_measure([f1 for _, f1 in pairs]),
        "exact_match": mean_measure([exact for exact, _ in pairs]),
    }
