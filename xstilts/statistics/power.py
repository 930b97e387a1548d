"""The smallest effects that a design finds with a stated probability."""

import numpy as np
from scipy import optimize, stats

from xstilts.statistics.family import FamilyFit


def detectable_slope(fit: FamilyFit, alpha: float, power: float) -> float:
    """The smallest slope that a design with the standard error of `fit` finds with probability `power`.

    From the noncentral t distribution with the fit's degrees of freedom, two-sided at `alpha`. Plugging
    in the standard error makes it a statement about runs like this one.
    """
    critical = float(stats.t.ppf(1 - alpha / 2, fit.freedom))
    # Over the variance's chi-square, by quadrature: scipy's nct is NaN for few degrees of freedom.
    nodes, weights = np.polynomial.legendre.leggauss(400)
    spread = critical * np.sqrt(stats.chi2.ppf((nodes + 1) / 2, fit.freedom) / fit.freedom)

    def miss(shift: float) -> float:
        found = stats.norm.sf(spread - shift) + stats.norm.cdf(-spread - shift)
        return float(weights @ found) / 2 - power

    upper = critical
    while miss(upper) < 0:
        upper *= 2
    return float(optimize.brentq(miss, 0.0, upper, xtol=1e-10)) * fit.error
