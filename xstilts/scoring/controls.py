"""Controls that stand beside every score of retrieval: chance, and TF-IDF of character n-grams."""

from collections.abc import Mapping, Sequence
from functools import cache
from math import comb
from typing import Any, Literal

from xstilts.data.examples import Candidate, ParallelExample, QueryExample
from xstilts.scoring import Measure, mean_measure
from xstilts.scoring.bitext import Neighbours, mined
from xstilts.scoring.ranking import CUTS, PRECISION, SUCCESS
from xstilts.scoring.search import DEPTH, POOL_DEPTH, Doubles, Ranking, best_of, rankings

Direction = Literal["en2xx", "xx2en"]

NGRAMS = (1, 4)


def chance(examples: Sequence[ParallelExample]) -> dict[str, Measure]:
    """What to expect of a pool in random order, metric by metric."""
    size = len(examples)
    values = {"accuracy": 1 / size, **_expected(size, 1, DEPTH)}
    return {metric: Measure(value, size) for metric, value in values.items()}


def pool_chance(queries: Sequence[QueryExample], size: int) -> dict[str, Measure]:
    """The same of queries that search one pool of `size` candidates, several of which may answer them."""
    each = [_expected(size, len(query.candidates), POOL_DEPTH) for query in queries]
    return {metric: mean_measure([values[metric] for values in each]) for metric in each[0]}


@cache
def _expected(size: int, right: int, depth: int) -> dict[str, float]:
    """Expected metrics of a random order of `size` candidates, `right` of them right, cut at `depth`."""
    values = {f"recall_at_{cut}": min(cut, size) / size for cut in CUTS}
    values |= {f"recall_at_{cut}_ceiling": min(cut, right) / right for cut in CUTS}
    values[f"success_at_{SUCCESS}"] = 1 - comb(size - right, min(SUCCESS, size)) / comb(
        size, min(SUCCESS, size)
    )
    ranks = range(1, min(depth, size) + 1)
    firsts = (comb(size - rank, right - 1) / comb(size, right) / rank for rank in ranks)
    values["mrr"] = sum(firsts)
    # The precision at a rank that is right: itself, and the others that are expected before it.
    before = (right - 1) / max(1, size - 1)
    ranks = range(1, min(PRECISION, size) + 1)
    values[f"map_at_{PRECISION}"] = sum((1 + (rank - 1) * before) / rank for rank in ranks) / size
    return values


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


def tfidf_pool(
    queries: Mapping[str, Sequence[QueryExample]], candidates: Sequence[Candidate]
) -> dict[str, dict[str, tuple[tuple[str, float], ...]]]:
    """The nearest candidates of a pool by the same vectors, fitted on all queries and candidates.

    Args:
        queries: By language.
        candidates: The pool; what stands around them is not looked at.

    Returns:
        By language and query id, (candidate id, cosine), best first.
    """
    every = [query for part in queries.values() for query in part]
    vectors = _vectors([query.query for query in every], [candidate.text for candidate in candidates])
    indices, scores = _nearest(*vectors, min(POOL_DEPTH, len(candidates)))
    names = [candidate.id for candidate in candidates]
    found: dict[str, dict[str, tuple[tuple[str, float], ...]]] = {code: {} for code in queries}
    for query, row, values in zip(every, indices.tolist(), scores.tolist(), strict=True):
        ranking = tuple((names[index], value) for index, value in zip(row, values, strict=True))
        found[query.language][query.id] = ranking
    return found


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
