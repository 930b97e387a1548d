"""What statistics are called, and how sure an answer is."""

import pandas as pd

from xstilts.recipes import MLM, UNTRAINED
from xstilts.report.table import interval, number
from xstilts.studies.settings import JOBS as STUDIES
from xstilts.studies.words import Settings, p_value, percent

LEAVE_ONE = "leave_one_"
STATISTICS = {
    "slope": "slope on",
    "slope_change": "change of the slope on",
    "spearman": "Spearman correlation with",
    "partial_spearman": "partial Spearman correlation with",
    "share_not_above": "share of languages not above",
    "coverage": "share of languages with data for",
    "feature_coverage": "share of known features for",
    "fitted": "fitted degradation by",
    "difference": "difference:",
    "equivalence": "equivalence:",
    "signed_rank": "Wilcoxon over languages:",
    "correlation": "correlation of gain with",
    "repeated_measures": "repeated-measures correlation of gain with",
    "mixed_model": "slope of gain in the mixed model on",
    "gain": "gain, resource level",
    "line": "line of",
    "mean": "mean",
    "ceiling": "ceiling of",
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
    "multilingual_minus_english": "multilingual minus English QA",
    "english_minus_non_qa": "English QA minus other English tasks",
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
        return f"There is none: the primary test is {primary['note']}."
    level = percent(1 - settings["alpha"])
    bounds = f"{level} interval {interval(primary['low'], primary['high'])}"
    facts = [
        f"Estimate {number(primary['estimate'])} {primary['unit']}",
        bounds if pd.notna(primary["low"]) else "",
        p_value(primary["p"]) if pd.notna(primary["p"]) else str(primary["note"]),
        f"n = {number(primary['n'], 0)}.",
    ]
    parts = [", ".join(filter(None, facts)), _agreement(tests, primary, settings["alpha"])]
    if pd.notna(detectable) and detectable <= 1:
        power = percent(settings["power"])
        parts.append(f"An effect of {number(detectable)} would have been found with {power} power.")
    return " ".join(filter(None, parts))


def _agreement(tests: pd.DataFrame, primary: pd.Series, alpha: float) -> str:
    """How many sensitivity analyses of the primary statistic agree with it: by interval, else by p."""
    sensitivity = tests[(tests["role"] == "sensitivity") & (tests["statistic"] == primary["statistic"])]
    is_range = sensitivity["id"].str.rsplit("/", n=1).str[-1].str.startswith(LEAVE_ONE)  # no interval
    rows, sign = sensitivity[~is_range], 1 if primary["estimate"] > 0 else -1
    known = rows.dropna(subset=["estimate", "low", "high"])
    bounds, agree = known["low"] if sign > 0 else -known["high"], "an interval on"
    if known.empty and pd.isna(primary["low"]):
        known = rows.dropna(subset=["estimate", "p"])
        bounds = (sign * known["estimate"]).where(known["p"] <= alpha, -1.0)
        agree = f"p of at most {alpha:g} on"
    if known.empty:
        return "No sensitivity analysis could be made."
    missing = f"; {len(rows) - len(known)} could not be made" if len(known) < len(rows) else ""
    ranges = sensitivity[is_range].dropna(subset=["low", "high"])
    without = "".join(
        f" Without any one {_left_out(str(identity))} the estimate lies from {number(low)} to {number(high)}."
        for identity, low, high in zip(ranges["id"], ranges["low"], ranges["high"], strict=True)
    )
    found = int((bounds > 0).sum())
    return (
        f"Of {len(known)} sensitivity analyses, {found} {'has' if found == 1 else 'have'} {agree} the "
        f"estimate's side of zero{missing}.{without}"
    )


def run_in_words(name: str, settings: Settings, scores: pd.DataFrame) -> str:
    """Which models, recipes, runs, tasks and languages a study's scores are of."""
    study = STUDIES[name].model_validate(settings)
    treatment = scores["intermediate"].replace("-", MLM)
    rows = scores[treatment.isin(study.planned) & scores["task"].isin(study.tasks)]
    rows = rows[~rows["recipe"].isin([UNTRAINED, "-"])]
    models = study.models or sorted(rows["model"].unique())
    rows = rows[rows["model"].isin(models)]
    tasks = []
    for task in study.tasks:
        own = rows[rows["task"] == task]
        splits = " and ".join(sorted(own["split"].unique()))
        tasks.append(
            f"{task} ({own['language'].nunique()} languages, {splits})" if len(own) else f"{task} (none)"
        )
    runs = rows.loc[rows["seed"] > 0, "seed"].nunique()
    return (
        f"Models: {', '.join(models) or 'none'}. Recipes: {', '.join(study.planned)}; {runs} "
        f"run{'s' * (runs != 1)} of what is fine-tuned. Tasks: {', '.join(tasks)}."
    )


def _left_out(identity: str) -> str:
    """What a range leaves out: of `.../leave_one_family_out` the family."""
    return identity.rsplit("/", 1)[-1].removeprefix(LEAVE_ONE).removesuffix("_out")
