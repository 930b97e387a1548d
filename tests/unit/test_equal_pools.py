"""Equal pools: chance level, agreement with the plain score, and a closed form."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from xstilts.scoring.equal_pools import equal_pool_accuracy
from xstilts.scoring.search import nearest


def unit(generator: np.random.Generator, n: int, width: int = 16) -> np.ndarray:
    vectors = generator.normal(size=(n, width)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


@given(st.integers(2, 30), st.integers(0, 5))
def test_a_pool_of_all_is_the_plain_accuracy(n: int, seed: int) -> None:
    generator = np.random.default_rng(seed)
    queries, index = unit(generator, n), unit(generator, n)
    plain = np.mean([int(np.argmax(index @ query)) == i for i, query in enumerate(queries)])
    assert equal_pool_accuracy(queries, index, n, 3, seed) == plain


def test_smaller_pools_are_easier() -> None:
    generator = np.random.default_rng(1)
    index = unit(generator, 600)
    noisy = index + generator.normal(scale=0.5, size=index.shape).astype(np.float32)
    queries = noisy / np.linalg.norm(noisy, axis=1, keepdims=True)
    values = [equal_pool_accuracy(queries, index, size, 20, 0) for size in (600, 200, 50)]
    assert values[0] < values[1] < values[2]


def test_chance_is_one_in_the_size_of_the_pool() -> None:
    generator = np.random.default_rng(3)
    queries, index = unit(generator, 3000), unit(generator, 3000)
    error = (0.02 * 0.98 / 3000) ** 0.5  # of the mean over independent pairs
    assert abs(equal_pool_accuracy(queries, index, 50, 100, 0) - 1 / 50) < 4 * error


def test_the_same_seed_gives_the_same_value() -> None:
    generator = np.random.default_rng(2)
    queries, index = unit(generator, 300), unit(generator, 300)
    assert equal_pool_accuracy(queries, index, 100, 5, 7) == equal_pool_accuracy(queries, index, 100, 5, 7)


@given(st.integers(2, 30), st.integers(1, 6), st.integers(0, 5))
def test_margins_are_those_of_the_pool(n: int, neighbours: int, seed: int) -> None:
    generator = np.random.default_rng(seed)
    queries, index = unit(generator, n, 4), unit(generator, n, 4)
    found = nearest(queries, index, 1, neighbours)[0][:, 0]
    expected = np.mean(found == np.arange(n))
    assert equal_pool_accuracy(queries, index, n, 3, seed, neighbours) == expected
