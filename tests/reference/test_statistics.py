"""Statistics against R: r/statistics.R made r/statistics.tsv from the small tables beside it."""

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from xstilts.statistics.correlation import correlation, repeated_measures, steiger
from xstilts.statistics.crossed import crossed_mean, tost
from xstilts.statistics.family import family_model
from xstilts.statistics.mixed import crossed_model
from xstilts.statistics.multiplicity import adjust
from xstilts.statistics.permutation import label_permutation_correlation, order_test
from xstilts.statistics.power import detectable
from xstilts.statistics.seeds import mean_over_seeds
from xstilts.statistics.slopes import slope_of_slopes
from xstilts.statistics.variance import decompose

FOLDER = Path(__file__).parent / "r"


def table(name: str) -> pd.DataFrame:
    return pd.read_csv(FOLDER / f"{name}.tsv", sep="\t")


@pytest.fixture(scope="module")
def r() -> dict[str, float]:
    return dict(table("statistics").set_index("name")["value"])


def agree(ours: float, theirs: float, tolerance: float = 1e-6) -> bool:
    return ours == pytest.approx(theirs, rel=tolerance, abs=1e-9)


def test_correlations(r: dict[str, float]) -> None:
    data = table("languages")
    assert agree(correlation(data, "x", "y")[0], r["spearman"])
    assert agree(correlation(data, "x", "y", ["size"])[0], r["spearman_partial"])
    columns = data[["x", "y", "z"]].corr().to_numpy()
    compared = steiger(columns[0, 1], columns[0, 2], columns[1, 2], len(data))
    assert agree(compared.t, r["steiger_t"])
    assert agree(compared.p, r["steiger_p"])


def test_repeated_measures(r: dict[str, float]) -> None:
    found = repeated_measures(table("pairs"), "similarity", "gain", "language")
    assert found.freedom == r["rm_freedom"]
    for ours, name in ((found.r, "r"), (found.p, "p"), (found.low, "low"), (found.high, "high")):
        assert agree(ours, r[f"rm_{name}"])


def test_the_family_model(r: dict[str, float]) -> None:
    found = family_model(table("languages"), "y", "x", ["size"])
    assert r["family_ratio"] > 0.1
    for ours, name in (
        (found.estimate, "slope"),
        (found.error, "error"),
        (found.ratio, "ratio"),
        (found.p, "p"),
    ):
        assert agree(ours, r[f"family_{name}"], 1e-3)


def test_crossed_runs_and_languages(r: dict[str, float]) -> None:
    found = crossed_mean(table("contrast"), families=None)
    assert agree(found.estimate, r["crossed_estimate"])
    assert agree(found.error, r["crossed_error"])
    assert agree(found.error, r["crossed_error_lme4"], 1e-3)
    assert found.freedom == r["crossed_freedom"]


def test_crossed_runs_and_families(r: dict[str, float]) -> None:
    found = crossed_mean(table("contrast"))
    assert found.error > 1.5 * r["crossed_error"]  # else the data could not tell the two apart
    assert agree(found.error, r["families_error"], 1e-3)
    assert found.freedom == r["families_freedom"]
    assert agree(found.p, r["families_p"], 1e-3)
    assert agree(found.low, r["families_low"], 1e-3)
    equivalence = tost(found, 3.0)
    assert agree(equivalence.p, r["tost_p"], 1e-3)
    assert agree(equivalence.high, r["tost_high"], 1e-3)


def test_mean_squares_of_orders(r: dict[str, float]) -> None:
    found = decompose(table("orders")).set_index("component")["mean_square"]
    names = {"residual": "Residuals"}
    assert len(found) == 7
    for component, square in found.items():
        assert agree(square, r["square_" + names.get(component, component).replace(":", "_")])


def test_relabelled_orders(r: dict[str, float]) -> None:
    means = table("orders").groupby(["seed", "order"], as_index=False)["value"].mean()
    found = order_test(means)
    assert agree(found.statistic, r["order_statistic"])
    assert agree(found.p, r["order_p"])
    assert found.relabellings == 36


def test_permuted_intermediates(r: dict[str, float]) -> None:
    pairs = table("pairs").groupby(["intermediate", "target"], as_index=False)[["similarity", "gain"]].mean()
    assert len(pairs) == 29  # one pair is missing
    found = label_permutation_correlation(pairs, "similarity", "gain", label="intermediate", group="target")
    assert agree(found.r, r["label_r"])
    assert agree(found.p, r["label_p"])


def test_the_crossed_mixed_model(r: dict[str, float]) -> None:
    found = crossed_model(table("pairs"))
    assert agree(found.estimate, r["mixed_slope"], 1e-3)
    assert agree(found.error, r["mixed_error"], 1e-3)
    assert agree(found.intercept, r["mixed_intercept"], 1e-3)
    assert agree(found.p, 2 * stats.norm.sf(abs(r["mixed_slope"] / r["mixed_error"])), 1e-2)
    total = sum(found.variances.values())
    for name, variance in found.variances.items():
        theirs = r["mixed_" + name.replace(":", "_").replace("residual", "Residual")]
        assert variance == pytest.approx(theirs, abs=1e-3 * total)


def test_slopes_over_sizes(r: dict[str, float]) -> None:
    found = slope_of_slopes(table("slopes"))
    for ours, name in ((found.estimate, "slope"), (found.error, "error"), (found.p, "p")):
        assert agree(ours, r[f"sizes_{name}"])


@pytest.mark.parametrize(("ours", "theirs"), [("holm", "holm"), ("fdr_bh", "BH"), ("fdr_by", "BY")])
def test_corrections(r: dict[str, float], ours: str, theirs: str) -> None:
    adjusted = adjust([0.001, 0.012, 0.02, 0.04, 0.3], ours)
    assert adjusted == pytest.approx([r[f"{theirs}{i}"] for i in range(1, 6)], rel=1e-6)


def test_power_and_runs(r: dict[str, float]) -> None:
    for freedom in (2, 3, 12):
        known = np.sqrt(stats.chi2.median(freedom) / freedom)  # the error of which 1 is the unbiased version
        assert agree(detectable(known, freedom, 0.05, 0.8), r[f"detectable{freedom}"])
    _, low, _, p = mean_over_seeds([0.1, 0.3, 0.25, 0.05], alpha=0.05, minimum=3)
    assert (low, p) == pytest.approx((r["runs_low"], r["runs_p"]), rel=1e-6)


@pytest.mark.skipif(shutil.which("Rscript") is None, reason="R is not installed")
def test_r_still_gives_these_numbers(r: dict[str, float]) -> None:
    done = subprocess.run(["Rscript", "statistics.R"], cwd=FOLDER, capture_output=True, text=True)
    if "there is no package called" in done.stderr:
        pytest.skip("R has no lme4 or psych")
    assert done.returncode == 0, done.stderr
    again = {
        name: float(value) for name, value in (line.split("\t") for line in done.stdout.splitlines()[1:])
    }
    assert again.keys() == r.keys()
    assert np.array(list(again.values())) == pytest.approx(np.array(list(r.values())), rel=1e-4, abs=1e-7)
