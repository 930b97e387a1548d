"""How similar tasks are by their English examples: sentence embeddings, and TF-IDF as a check on them.

Light: what embeds is handed in (xstilts.model.sentences), so that no model is needed to compare vectors.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from xstilts.data.examples import (
    ChoiceExample,
    Example,
    PairExample,
    ParallelExample,
    QueryExample,
    SpanExample,
    TaggedExample,
)
from xstilts.errors import DataError

ENGLISH = "en"
COLUMNS = ["intermediate", "target", "similarity", "best_match", "tfidf", "examples"]
Vectors = NDArray[np.float64]
Embed = Callable[[Sequence[str]], NDArray[np.float32]]
"""Unit vectors (texts, width) of texts."""


def text_of(example: Example) -> str:
    """What an example says in English: all its texts, without labels. Of a translation, the English side."""
    match example:
        case PairExample(first=first, second=second):
            parts = [first, second or ""]
        case ChoiceExample(context=context, question=question, choices=choices):
            parts = [context, question, *choices]
        case SpanExample(context=context, question=question):
            parts = [question, context]
        case TaggedExample(words=words):
            parts = [" ".join(words)]
        case ParallelExample(english=english):
            parts = [english]
        case QueryExample(query=query, answer=answer):
            parts = [query, answer]
    return " ".join(part.strip() for part in parts if part.strip())


def english_texts(examples: Sequence[Example], task: str) -> list[str]:
    """The different English texts of a task's examples, sorted.

    Raises:
        DataError: if there are none.
    """
    own = [e for e in examples if isinstance(e, ParallelExample) or e.language == ENGLISH]
    texts = sorted({text_of(example) for example in own} - {""})
    if not texts:
        raise DataError(
            "there is no English example to compare",
            where=f"task {task}",
            hint="leave the task out of studies.similarity",
        )
    return texts


def equal_samples(texts: Mapping[str, Sequence[str]], size: int) -> dict[str, list[str]]:
    """As many texts of each task: `size`, or what the smallest task has, since a best match rises with them.

    The first of a permutation by the hash of task and text, so that a task's sample depends on no other task.
    """
    number = min([size, *map(len, texts.values())])
    return {task: sorted(own, key=lambda text: _digest(task, text))[:number] for task, own in texts.items()}


def _digest(task: str, text: str) -> bytes:
    return hashlib.sha256(f"{task}\t{text}".encode()).digest()


def compare(
    intermediates: Mapping[str, Sequence[str]], targets: Mapping[str, Sequence[str]], size: int, embed: Embed
) -> pd.DataFrame:
    """The similarity of every intermediate and target task.

    Args:
        intermediates: English texts by intermediate task.
        targets: Likewise by target task.
        size: How many of each are compared.
        embed: Unit vectors of texts.

    Returns:
        One row per pair, sorted: `similarity`, the cosine of the centroids of the embeddings; `best_match`,
        the cosine of each target example with its nearest intermediate example, averaged; `tfidf`, the
        cosine of the centroids of TF-IDF vectors of words, fitted on all samples; `examples`, how many of
        each task.
    """
    named = {f"intermediate {task}": own for task, own in intermediates.items()}
    named |= {f"target {task}": own for task, own in targets.items()}
    samples = equal_samples(named, size)
    vectors = {name: np.asarray(embed(own), dtype=np.float64) for name, own in samples.items()}
    words = _tfidf(samples)
    rows = []
    for intermediate in sorted(intermediates):
        for target in sorted(targets):
            ours, theirs = f"intermediate {intermediate}", f"target {target}"
            rows.append(
                {
                    "intermediate": intermediate,
                    "target": target,
                    "similarity": cosine(vectors[ours].mean(axis=0), vectors[theirs].mean(axis=0)),
                    "best_match": best_match(vectors[ours], vectors[theirs]),
                    "tfidf": cosine(words[ours], words[theirs]),
                    "examples": len(samples[ours]),
                }
            )
    return pd.DataFrame(rows, columns=COLUMNS)


def cosine(one: Vectors, other: Vectors) -> float:
    """Cosine of two vectors; 0 where one is nothing but zeros."""
    return float(one @ other / max(float(np.linalg.norm(one) * np.linalg.norm(other)), 1e-12))


def best_match(ours: Vectors, theirs: Vectors) -> float:
    """Mean over the rows of `theirs` of the greatest cosine with a row of `ours`, all of unit length."""
    return float((theirs @ ours.T).max(axis=1).mean())


def _tfidf(samples: Mapping[str, Sequence[str]]) -> dict[str, Vectors]:
    """The centroid of each sample."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    vectorizer = TfidfVectorizer(token_pattern=r"(?u)\b\w+\b")
    vectorizer.fit([text for own in samples.values() for text in own])
    means = {name: vectorizer.transform(own).mean(axis=0) for name, own in samples.items()}
    return {name: np.asarray(mean, dtype=np.float64).ravel() for name, mean in means.items()}
