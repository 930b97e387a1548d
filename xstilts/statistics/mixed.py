"""The crossed mixed model of gain on similarity."""

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats
from statsmodels.regression.mixed_linear_model import MixedLM

from xstilts.statistics.errors import Array, NotEstimableError, count, require, require_spread

COMPONENTS = {
    "intermediate": "intermediate",
    "target": "target",
    "intermediate:target": "pair",
    "language": "language",
}
"""The random intercepts, and the columns that hold their levels."""


@dataclass(frozen=True)
class MixedFit:
    """A slope with its standard error, interval and p (normal, two-sided) and the variance components.

    `variances` has `residual` besides the random effects, in the square of the gain's unit.
    """

    estimate: float
    error: float
    low: float
    high: float
    p: float
    intercept: float
    variances: dict[str, float]
    rows: int
    level: float


def crossed_model(
    frame: pd.DataFrame, outcome: str = "gain", predictor: str = "similarity", *, alpha: float = 0.05
) -> MixedFit:
    """Gain ~ similarity + (1|intermediate) + (1|target) + (1|intermediate:target) + (1|language), REML.

    By statsmodels' variance components over one group that holds all rows. The normal interval takes the
    components as known, so with few intermediates it is too narrow: a description, never the test.

    Args:
        frame: A row per `intermediate`, `target` and `language` with gain and similarity, of which each
            (intermediate, target) has several languages; rows with a missing value are left out.
        outcome: Column of the gain.
        predictor: Column of the similarity.
        alpha: The interval covers 1 - alpha.

    Raises:
        NotEstimableError: too few levels, one language per pair, a constant column, or a likelihood that no
            optimiser maximises.
    """
    known = frame.dropna(subset=[outcome, predictor, "intermediate", "target", "language"])
    known = known.assign(pair=known["intermediate"].astype(str) + "\t" + known["target"].astype(str))
    for name, least in (("intermediate", 3), ("target", 2), ("language", 2)):
        levels = known[name].nunique()
        require(levels >= least, f"{count(levels, f'{name} level')}, at least {least} needed")
    pairs = known["pair"].nunique()
    require(pairs > known["intermediate"].nunique() + known["target"].nunique(), count(pairs, "pair"))
    require(len(known) > pairs, "each pair has one language")
    y, x = known[outcome].to_numpy(float), known[predictor].to_numpy(float)
    require_spread(y, outcome)
    require_spread(x, predictor)
    unit, inside = y.std(), (x - x.mean()) / x.std()
    fit = _fit(known, (y - y.mean()) / unit, inside)
    variances = _variances(fit)
    estimate = float(fit.fe_params.iloc[1] * unit / x.std())
    error = float(np.sqrt(_covariance(known, inside, variances)[1, 1]) * unit / x.std())
    half = error * float(stats.norm.ppf(1 - alpha / 2))
    return MixedFit(
        estimate=estimate,
        error=error,
        low=estimate - half,
        high=estimate + half,
        p=float(2 * stats.norm.sf(abs(estimate / error))),
        intercept=float(fit.fe_params.iloc[0] * unit + y.mean() - estimate * x.mean()),
        variances={name: share * float(unit) ** 2 for name, share in variances.items()},
        rows=len(known),
        level=1 - alpha,
    )


def _fit(known: pd.DataFrame, y: Array, x: Array) -> Any:
    """The fit in standard units, by the optimiser that comes furthest."""
    data = known.assign(y=y, x=x)
    parts = {name: f"0 + C({column})" for name, column in COMPONENTS.items()}
    model = MixedLM.from_formula("y ~ x", data, groups=np.zeros(len(data)), re_formula="0", vc_formula=parts)
    fits, reasons = [], []
    for method in ("lbfgs", "powell"):
        with warnings.catch_warnings():
            warnings.simplefilter(
                "ignore"
            )  # a variance of zero is warned of, and is a solution like any other
            try:
                result = model.fit(reml=True, method=method, maxiter=2_000)
            except (np.linalg.LinAlgError, ValueError) as error:
                reasons.append(str(error))
                continue
        if result.converged and np.isfinite(result.llf):
            fits.append(result)
    if not fits:
        raise NotEstimableError(f"the mixed model does not converge{''.join(f' ({r})' for r in reasons[:1])}")
    return max(fits, key=lambda result: result.llf)


def _variances(fit: Any) -> dict[str, float]:
    """In standard units; statsmodels sorts them by name."""
    return dict(zip(fit.model.exog_vc.names, map(float, fit.vcomp), strict=True)) | {
        "residual": float(fit.scale)
    }


def _covariance(known: pd.DataFrame, x: Array, variances: dict[str, float]) -> Array:
    """Of the fixed effects given the variances, as in lme4; statsmodels' has the Hessian's cross terms."""
    spread = np.eye(len(known)) * variances["residual"]
    for name, column in COMPONENTS.items():
        levels = known[column].factorize()[0]
        spread += variances[name] * (levels[:, None] == levels[None])
    design = np.column_stack([np.ones(len(x)), x])
    return np.asarray(np.linalg.inv(design.T @ np.linalg.solve(spread, design)))
