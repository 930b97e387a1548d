"""What statistics are called, and how sure an answer is."""

import pandas as pd

from xstilts.report.table import interval, number
from xstilts.studies.words import LEAVE_ONE_OUT, Settings, p_value, percent

STATISTICS = {
    "slope": "slope on",
    "slope_change": "change of the slope on",
    "spearman": "Spearman correlation with",
    "partial_spearman": "partial Spearman correlation with",
    "share_not_above": "share of languages not above",
    "coverage": "share of languages with data for",
    "feature_coverage": "share of known features for",
    "fitted": "fitted degradation by",
}
SUBJECTS = {
    **{
        name: f"{name} distance" for name in ("syntactic", "phonological", "inventory", "featural", "genetic")
    },
    "geographic": "geographic distance",
    "size": "log10 pre-training size",
    "script": "script other than Latin",
    "untrained": "the untrained encoder",
    "tfidf": "n-gram TF-IDF",
}


def statistic_in_words(statistic: str, identity: str, task: str) -> str:
    """What a row of tests.tsv holds: `slope:syntactic` is the slope on syntactic distance.

    Args:
        statistic: Column `statistic`.
        identity: Column `id`, whose last part names the variant, if it is one.
        task: Column `task`, the last part of an id without a variant.
    """
    kind, _, about = statistic.partition(":")
    shown = STATISTICS.get(kind, kind.replace("_", " "))
    shown = f"{shown} {SUBJECTS.get(about, about.replace('_', ' '))}".strip()
    variant = identity.rsplit("/", 1)[-1]
    return shown if variant == task or "/" not in identity else f"{shown}: {variant.replace('_', ' ')}"


def confidence(tests: pd.DataFrame, settings: Settings, detectable: float | None) -> str:
    """How sure the answer is: interval, p, sensitivity analyses, and what the run could have seen."""
    primary = tests[tests["role"] == "primary"].iloc[0]
    if pd.isna(primary["estimate"]):
        return f"None: the primary test is {primary['note']}."
    level = percent(1 - settings["alpha"])
    parts = [
        f"Estimate {number(primary['estimate'])} {primary['unit']}, {level} interval "
        f"{interval(primary['low'], primary['high'])}, {p_value(primary['p'])}, "
        f"n = {number(primary['n'], 0)}.",
        _agreement(tests, primary["estimate"]),
    ]
    if pd.notna(detectable) and detectable <= 1:
        power = percent(settings["power"])
        parts.append(f"An effect of {number(detectable)} would have been found with {power} power.")
    return " ".join(filter(None, parts))


def _agreement(tests: pd.DataFrame, estimate: float) -> str:
    sensitivity = tests[tests["role"] == "sensitivity"]
    is_range = sensitivity["id"].str.endswith(f"/{LEAVE_ONE_OUT}")  # its bounds are no interval
    rows = sensitivity[~is_range]
    known = rows.dropna(subset=["estimate", "low", "high"])
    if known.empty:
        return "No sensitivity analysis could be made."
    bounds = known["low"] if estimate > 0 else -known["high"]
    missing = f"; {len(rows) - len(known)} could not be made" if len(known) < len(rows) else ""
    ranges = sensitivity[is_range].dropna(subset=["low", "high"])
    without = "".join(
        f" Without any one family the estimate lies from {number(low)} to {number(high)}."
        for low, high in zip(ranges["low"], ranges["high"], strict=True)
    )
    return (
        f"Of {len(known)} sensitivity analyses, {int((bounds > 0).sum())} have an interval that lies on the "
        f"estimate's side of zero{missing}.{without}"
    )
