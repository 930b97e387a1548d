"""Exact search against a naive one, with ties and duplicates, whatever the blocks."""

import math
import subprocess
import sys
import tracemalloc
from typing import Any
from unittest.mock import patch

import faiss
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from xstilts.errors import PredictionError
from xstilts.scoring import search
from xstilts.scoring.search import Floats, Means, top_k


def unit_rows(vectors: Floats) -> Floats:
    """Rows scaled to length 1."""
    scaled: Floats = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    return scaled


def naive(queries: Floats, candidates: Floats, k: int) -> tuple[list[list[int]], list[list[np.float32]]]:
    """Exact sums, rounded once to float32; sorted by falling score, then by index."""
    indices, scores = [], []
    for query in queries.tolist():
        found = [
            np.float32(math.fsum(a * b for a, b in zip(query, candidate, strict=True)))
            for candidate in candidates.tolist()
        ]
        order = sorted(range(len(found)), key=lambda index: (-found[index], index))[:k]
        indices.append(order)
        scores.append([found[index] for index in order])
    return indices, scores


def assert_equals_naive(queries: Floats, candidates: Floats, k: int, block: int) -> None:
    indices, scores = top_k(queries, candidates, k, block)
    expected_indices, expected_scores = naive(queries, candidates, k)
    assert indices.dtype == np.int64
    assert scores.dtype == np.float32
    assert indices.tolist() == expected_indices
    assert np.array_equal(scores, np.array(expected_scores, dtype=np.float32))


@st.composite
def problems(draw: st.DrawFn) -> tuple[Floats, Floats, int, int]:
    """Few values, whose sums are exact, so that ties abound; some candidates stand there twice."""
    n, m, d = draw(st.integers(1, 8)), draw(st.integers(1, 12)), draw(st.integers(1, 4))
    values = st.sampled_from([-1.0, -0.5, -0.0, 0.0, 0.5, 1.0, 3.0, 2.0**-10, 2.0**12])
    queries = draw(arrays(np.float32, (n, d), elements=values))
    candidates = draw(arrays(np.float32, (m, d), elements=values))
    rows = draw(st.lists(st.integers(0, m - 1), min_size=1, max_size=12))
    return queries, candidates[rows], draw(st.integers(1, len(rows))), draw(st.integers(1, 13))


@given(problems())
@settings(max_examples=1000)
def test_equals_naive_search(problem: tuple[Floats, Floats, int, int]) -> None:
    assert_equals_naive(*problem)


@given(problems())
@settings(max_examples=1000)
def test_single_products_equal_naive_search(problem: tuple[Floats, Floats, int, int]) -> None:
    with patch.object(search, "MOST", np.inf):  # however many may be among the best
        assert_equals_naive(*problem)
        with patch.dict(sys.modules, {"torch": None}):  # products by numpy
            assert_equals_naive(*problem)


@st.composite
def with_means(draw: st.DrawFn) -> tuple[Floats, Floats, int, int, Means]:
    queries, candidates, k, block = draw(problems())
    means = st.sampled_from([-1.0, 0.0, 0.5, 1.0, 1.5])
    sides = [draw(arrays(np.float64, (len(side),), elements=means)) for side in (queries, candidates)]
    return queries, candidates, k, block, Means(*sides)


@given(with_means())
@settings(max_examples=1000)
def test_margins_equal_full_sorting(problem: tuple[Floats, Floats, int, int, Means]) -> None:
    queries, candidates, k, block, means = problem
    indices, scores = top_k(queries, candidates, k, block, means)
    products = queries.astype(np.float64) @ candidates.astype(np.float64).T
    for row, (found, values) in enumerate(zip(indices, scores, strict=True)):
        middles = (means.queries[row] + means.candidates) / 2
        pairs = zip(products[row], middles, strict=True)
        ratios = np.array([cos / middle if middle > 0 else 0 for cos, middle in pairs], np.float32)
        order = np.argsort(-ratios, kind="stable")[:k]
        assert found.tolist() == order.tolist()
        assert values.tolist() == ratios[order].tolist()


def assert_torch_agrees(queries: Floats, candidates: Floats, k: int, block: int, means: Means | None) -> None:
    """A device is given by its number, so that even `cpu:0` is searched by torch."""
    expected = top_k(queries, candidates, k, block, means)
    for device in ["cpu:0", *(["cuda"] if torch.cuda.is_available() else [])]:
        indices, scores = top_k(queries, candidates, k, block, means, device)
        assert indices.tolist() == expected[0].tolist()
        assert scores.tolist() == expected[1].tolist()
        assert (indices.dtype, scores.dtype) == (np.int64, np.float32)


@given(problems() | with_means())
@settings(max_examples=500)
def test_torch_finds_the_same(problem: Any) -> None:
    assert_torch_agrees(*problem[:4], problem[4] if len(problem) == 5 else None)


@pytest.mark.parametrize("seed", range(5))
def test_torch_ties_as_numpy_does(seed: int) -> None:
    generator = np.random.default_rng(seed)
    distinct = unit_rows(generator.normal(size=(29, 96)).astype(np.float32))
    candidates = distinct[generator.integers(0, 29, size=117)]
    queries = unit_rows(generator.normal(size=(13, 96)).astype(np.float32))
    means = Means(generator.random(13), generator.random(117))
    for block in (1, 7, 64, 1000):
        assert_torch_agrees(queries, candidates, 40, block, None)
        assert_torch_agrees(queries, candidates, 40, block, means)


def test_a_search_on_the_cpu_needs_no_torch() -> None:
    code = (
        "import sys, numpy as np; from xstilts.scoring.search import nearest;"
        "import xstilts.scoring.mining, xstilts.scoring.bitext, xstilts.scoring.retrieval;"
        "one = np.ones((3, 2), np.float32); nearest(one, one, 2, 4); print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


@pytest.mark.parametrize("seed", range(20))
def test_duplicated_vectors_tie_in_every_block(seed: int) -> None:
    generator = np.random.default_rng(seed)
    distinct = unit_rows(generator.normal(size=(29, 96)).astype(np.float32))
    candidates = distinct[generator.integers(0, 29, size=117)]
    queries = unit_rows(generator.normal(size=(13, 96)).astype(np.float32))
    expected, _ = naive(queries, candidates, 40)
    for block in (1, 2, 3, 7, 16, 64, 117, 1000):
        indices, _ = top_k(queries, candidates, 40, block)
        assert indices.tolist() == expected


@pytest.mark.parametrize("seed", range(5))
def test_single_products_tie_in_every_block(seed: int) -> None:
    generator = np.random.default_rng(seed)
    distinct = unit_rows(generator.normal(size=(29, 96)).astype(np.float32))
    candidates = distinct[generator.integers(0, 29, size=117)]
    queries = unit_rows(generator.normal(size=(13, 96)).astype(np.float32))
    expected, _ = naive(queries, candidates, 40)
    with patch.object(search, "MOST", np.inf):
        for block in (1, 7, 41, 64, 117):
            assert top_k(queries, candidates, 40, block)[0].tolist() == expected


@pytest.mark.parametrize("most", [0, 24, np.inf])
@pytest.mark.parametrize("scale", [1e-38, 1e-20, 1.0, 1e19, 1e30])
def test_lengths_beyond_what_float32_multiplies(scale: float, most: float) -> None:
    generator = np.random.default_rng(0)
    queries, candidates = (
        (generator.choice([-1.0, 1.0], (size, 16)) * generator.random((size, 16)) * scale).astype(np.float32)
        for size in (20, 300)
    )
    products = queries.astype(np.float64) @ candidates.astype(np.float64).T
    with np.errstate(over="ignore"), patch.object(search, "MOST", most):
        scores = products.astype(np.float32) + np.float32(0)
        indices, values = top_k(queries, candidates, 30, block=40)
    order = np.argsort(-scores, axis=1, kind="stable")[:, :30]
    assert indices.tolist() == order.tolist()
    assert np.array_equal(values, np.take_along_axis(scores, order, axis=1))


def test_nearly_equal_candidates_are_told_apart() -> None:
    """Closer to one another than float32 sums are exact: as an untrained encoder's vectors are."""
    generator = np.random.default_rng(0)
    common = generator.normal(size=64)
    queries, candidates = (
        unit_rows((common + 1e-4 * generator.normal(size=(size, 64))).astype(np.float32))
        for size in (10, 500)
    )
    assert_equals_naive(queries, candidates, 20, block=32)


@pytest.mark.parametrize("k", [1, 20, 100])
def test_faiss_finds_the_same(k: int) -> None:
    """Its scores are sums in float32; among those that are equal to that precision, it may choose others."""
    generator = np.random.default_rng(k)
    queries, candidates = (
        unit_rows(generator.normal(size=(size, 768)).astype(np.float32)) for size in (50, 3000)
    )
    flat = faiss.IndexFlatIP(768)
    flat.add(candidates)
    expected, places = flat.search(queries, k)
    indices, scores = top_k(queries, candidates, k)
    assert np.abs(scores - expected).max() < 1e-6
    differ = indices != places
    assert differ.mean() < 0.01
    own = np.einsum("ij,ij->i", queries[np.nonzero(differ)[0]], candidates[places[differ]])
    assert np.abs(own - scores[differ]).max(initial=0) < 1e-6


def test_equal_candidates_come_in_order() -> None:
    queries, candidates = np.ones((2, 3), np.float32), np.ones((2500, 3), np.float32)
    indices, scores = top_k(queries, candidates, 5)
    assert indices.tolist() == [[0, 1, 2, 3, 4]] * 2
    assert (scores == 3).all()


def test_products_too_small_for_float32_tie_with_zero() -> None:
    candidates = np.array([[-1e-30], [0.0], [1e-30], [-1.0], [1.0]], np.float32)
    assert top_k(np.array([[1e-30]], np.float32), candidates, 5)[0].tolist() == [[4, 0, 1, 2, 3]]


def test_memory_does_not_grow_with_queries_times_candidates() -> None:
    vectors = np.random.default_rng(0).normal(size=(3000, 8)).astype(np.float32)
    tracemalloc.start()
    top_k(vectors, vectors, 20, block=128, means=Means(np.ones(3000), np.ones(3000)))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4_000_000 < 3000 * 3000 * 4


@pytest.mark.parametrize("device", ["cpu", "cpu:0"])
@pytest.mark.parametrize(("n", "m", "d", "k"), [(2, 3, 2, 0), (2, 3, 2, 4), (2, 0, 2, 1)])
def test_impossible_k(n: int, m: int, d: int, k: int, device: str) -> None:
    with pytest.raises(ValueError, match="cannot find"):
        top_k(np.zeros((n, d), np.float32), np.zeros((m, d), np.float32), k, device=device)


def test_shapes_that_do_not_fit() -> None:
    with pytest.raises(ValueError, match="do not fit"):
        top_k(np.zeros((1, 2), np.float32), np.zeros((1, 3), np.float32))


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_embeddings_that_are_no_numbers(value: float) -> None:
    broken = np.array([[1.0, value]], np.float32)
    with pytest.raises(PredictionError, match="candidates"):
        top_k(np.ones((1, 2), np.float32), broken)
    with pytest.raises(PredictionError, match="queries"):
        top_k(broken, np.ones((1, 2), np.float32))
