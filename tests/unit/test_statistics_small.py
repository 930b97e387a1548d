"""Corrections, guessing and means over runs against their definitions."""

import pkgutil
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from xstilts import statistics
from xstilts.statistics.chance import chance_tail
from xstilts.statistics.errors import NotEstimableError
from xstilts.statistics.multiplicity import adjust
from xstilts.statistics.seeds import mean_over_seeds


@given(st.lists(st.floats(1e-6, 1), min_size=1, max_size=12))
def test_corrections_are_their_definitions(p: list[float]) -> None:
    order = np.argsort(p, kind="stable")
    m, ordered = len(p), np.sort(p)
    holm = [max(min(1, (m - j) * ordered[j]) for j in range(i + 1)) for i in range(m)]
    hochberg = [min(min(1, m / (j + 1) * ordered[j]) for j in range(i, m)) for i in range(m)]
    for method, expected in {"holm": holm, "fdr_bh": hochberg}.items():
        adjusted = np.array(adjust(p, method, 0.05))
        assert adjusted[order] == pytest.approx(expected, abs=1e-12)


def test_chance_tail_sums_binomial_terms() -> None:
    right, n, chance = 4, 100, 0.01
    terms = [stats.binom.pmf(k, n, chance) for k in range(right, n + 1)]
    tail = chance_tail(pd.Series([0.04, 0.0]), pd.Series([100, 100]), pd.Series([0.01, 0.01]))
    assert tail.tolist() == [pytest.approx(sum(terms)), 1.0]


def test_means_over_seeds_are_a_t_test() -> None:
    values = [0.1, 0.3, 0.2]
    mean, low, high, p = mean_over_seeds(values, alpha=0.05, minimum=3)
    half = stats.t.ppf(0.975, 2) * np.std(values, ddof=1) / np.sqrt(3)
    assert (mean, low, high) == pytest.approx((0.2, 0.2 - half, 0.2 + half))
    assert p == pytest.approx(2 * stats.t.sf(0.2 / (np.std(values, ddof=1) / np.sqrt(3)), 2))


def test_means_over_seeds_without_an_answer_have_reasons() -> None:
    with pytest.raises(NotEstimableError, match="2 runs, at least 3 needed"):
        mean_over_seeds([1.0, 2.0], alpha=0.05, minimum=3)
    with pytest.raises(NotEstimableError, match="same value"):
        mean_over_seeds([1.0, 1.0, 1.0], alpha=0.05, minimum=3)


def test_tests_that_could_not_be_made_do_not_count() -> None:
    adjusted = adjust([0.01, None, 0.04, float("nan"), 0.03], "holm")
    assert adjusted == [pytest.approx(0.03), None, pytest.approx(0.06), None, pytest.approx(0.06)]
    assert adjust([None, float("nan")], "holm") == [None, None]
    assert adjust([], "fdr_bh") == []


def test_no_statistic_needs_torch() -> None:
    names = [module.name for module in pkgutil.iter_modules(statistics.__path__, "xstilts.statistics.")]
    assert len(names) > 10
    code = f"import sys, {', '.join(names)}; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
