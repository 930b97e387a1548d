"""Corrections over a family of tests."""

from collections.abc import Sequence

import pingouin


def adjust(p: Sequence[float], method: str, alpha: float) -> list[float]:
    """p-values corrected over the family of tests that they form (`holm`, `fdr_bh` or `fdr_by`)."""
    if not len(p):
        return []
    return [float(value) for value in pingouin.multicomp(list(p), alpha=alpha, method=method)[1]]
