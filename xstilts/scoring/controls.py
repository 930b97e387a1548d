"""Controls that stand beside every retrieval score: chance, and TF-IDF of character n-grams."""

from collections.abc import Sequence
from typing import Literal

import numpy as np

from xstilts.data.examples import ParallelExample
from xstilts.scoring import Measure

Direction = Literal["en2xx", "xx2en"]

NGRAMS = (1, 4)


def chance(examples: Sequence[ParallelExample]) -> Measure:
    """The accuracy to expect of a candidate drawn at random from the pool."""
    return Measure(1 / len(examples), len(examples))


def tfidf_predictions(examples: Sequence[ParallelExample], direction: Direction) -> dict[str, int]:
    """The nearest candidate of each query by TF-IDF of character n-grams.

    N-grams are of 1 to 4 characters, lower-cased and across word boundaries (some languages write
    none); their weights are fitted on both sides of the language's own pool. The similarity is the
    cosine in float32; ties go to the lower index.

    Args:
        examples: The pool of one language.
        direction: `en2xx` if the English sentences are the queries and the language's own sentences
            the candidates, as in XTREME's code; `xx2en` the other way round.

    Returns:
        The index of the candidate found, by the id of the example whose side is the query.
    """
    from sklearn.feature_extraction.text import TfidfVectorizer

    english, other = [example.english for example in examples], [example.text for example in examples]
    vectorizer = TfidfVectorizer(analyzer="char", ngram_range=NGRAMS).fit(english + other)
    queries, candidates = (english, other) if direction == "en2xx" else (other, english)
    # The rows have unit length; sparse products are summed in one order, that of the n-grams.
    cosines = vectorizer.transform(queries) @ vectorizer.transform(candidates).T
    found = cosines.toarray().astype(np.float32).argmax(axis=1)
    return {example.id: int(index) for example, index in zip(examples, found, strict=True)}
