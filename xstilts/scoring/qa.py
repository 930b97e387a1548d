"""Exact match and F1 of extractive question answering, by the definition of SQuAD v1.1.

The published definition is the evaluation script of Rajpurkar et al. 2016 (evaluate-v1.1.py), which
XTREME uses for XQuAD and TyDiQA-GoldP.
"""

import re
import string
from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from xstilts.data.examples import SpanExample
from xstilts.scoring import Measure, align, mean_measure

Normalise = Callable[[str, str], str]

_PUNCTUATION = str.maketrans("", "", string.punctuation)
_ARTICLES = re.compile(r"\b(a|an|the)\b")


def squad_normalise(text: str, language: str = "en") -> str:
    """Lower case without ASCII punctuation, English articles and superfluous white space.

    The rules are those of English in every language: this is how XQuAD and TyDiQA are scored.
    """
    return " ".join(_ARTICLES.sub(" ", text.lower().translate(_PUNCTUATION)).split())


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
    normalised, as in evaluate-v2.0.py; then both scores are 1, else 0.
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
    normalise: Normalise = squad_normalise,
) -> dict[str, Measure]:
    """Metrics `f1` and `exact_match`: means over the questions.

    Args:
        examples: The questions with their gold answers.
        predictions: Answer text by question id.
        labels: Not used; all scorers take it.
        normalise: From a text and its language to the text that is compared.

    Raises:
        PredictionError: if ids are missing or extra.
    """
    pairs = [
        answer_scores(text, example.answers, example.language, normalise)
        for example, text in zip(examples, align(examples, predictions), strict=True)
    ]
    return {
        "f1": mean_measure([f1 for _, f1 in pairs]),
        "exact_match": mean_measure([exact for exact, _ in pairs]),
    }
