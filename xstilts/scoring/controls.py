"""Controls that stand beside every score without a head: chance, and TF-IDF of character n-grams."""

from collections.abc import Sequence
from typing import Any, Literal

from xstilts.data.examples import ParallelExample
from xstilts.scoring import Measure
from xstilts.scoring.bitext import Neighbours, mined
from xstilts.scoring.ranking import CUTS, PRECISION, SUCCESS
from xstilts.scoring.search import DEPTH, Doubles, Ranking, best_of, rankings

Direction = Literal["en2xx", "xx2en"]

NGRAMS = (1, 4)


def chance(examples: Sequence[ParallelExample]) -> dict[str, Measure]:
    """What to expect of a pool in random order, metric by metric."""
    size = len(examples)
    values = {"accuracy": 1 / size, f"success_at_{SUCCESS}": min(SUCCESS, size) / size}
    values |= {f"recall_at_{cut}": min(cut, size) / size for cut in CUTS}
    values |= {f"recall_at_{cut}_ceiling": 1.0 for cut in CUTS}
    values |= {"mrr": _harmonic(min(DEPTH, size)) / size}
    values |= {f"map_at_{PRECISION}": _harmonic(min(PRECISION, size)) / size}
    return {metric: Measure(value, size) for metric, value in values.items()}


def _harmonic(count: int) -> float:
    return sum(1 / rank for rank in range(1, count + 1))


def tfidf_rankings(examples: Sequence[ParallelExample], direction: Direction) -> dict[str, Ranking]:
    """The nearest candidates of each query by TF-IDF of character n-grams.

    N-grams are of 1 to 4 characters, lower-cased and across word boundaries (some languages write
    none); their weights are fitted on both sides of the language's own pool. The similarity is the
    cosine in float32; ties go to the lower index.

    Args:
        examples: The pool of one language.
        direction: `en2xx` if the English sentences are the queries and the language's own sentences
            the candidates, as in XTREME's code; `xx2en` the other way round.

    Returns:
        (index, cosine) of the candidates found, best first, by the id of the example whose side is the
        query.
    """
    texts = [example.english for example in examples], [example.text for example in examples]
    queries, candidates = _vectors(*(texts if direction == "en2xx" else texts[::-1]))
    found = _nearest(queries, candidates, min(DEPTH, len(examples)))
    return rankings([example.id for example in examples], *found)


def tfidf_pairs(
    examples: Sequence[ParallelExample], neighbours: int, pairs: str
) -> dict[str, tuple[str, float] | None]:
    """The pairs mined by the same vectors; as xstilts.scoring.bitext.mined.

    Args:
        examples: The corpus of one language.
        neighbours: How many nearest ones a margin looks at on either side.
        pairs: What is kept.
    """

    def search(own: Sequence[str], english: Sequence[str]) -> tuple[Neighbours, Neighbours]:
        ours, theirs = _vectors(own, english)
        ahead = _nearest(ours, theirs, min(neighbours, len(english)))
        return ahead, _nearest(theirs, ours, min(neighbours, len(own)))

    return mined(examples, search, pairs)


def _vectors(first: Sequence[str], second: Sequence[str]) -> tuple[Any, Any]:
    """Sparse unit vectors of both lists of texts."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    vectorizer = TfidfVectorizer(analyzer="char", ngram_range=NGRAMS).fit([*first, *second])
    return vectorizer.transform(first), vectorizer.transform(second)


def _nearest(queries: Any, candidates: Any, k: int) -> Neighbours:
    def products(rows: slice, columns: slice) -> Doubles:
        # Sparse products are summed in one order, that of the n-grams.
        found: Doubles = (queries[rows] @ candidates[columns].T).toarray()
        return found

    return best_of(products, queries.shape[0], candidates.shape[0], k)
