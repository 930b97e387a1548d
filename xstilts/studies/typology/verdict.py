"""S1's rule, in code and in words from the same settings."""

from scipy import stats

from xstilts.statistics.family import FamilyFit
from xstilts.statistics.power import detectable
from xstilts.studies.floor import Floor
from xstilts.studies.settings import TypologyJob
from xstilts.studies.verdict import Decision, Verdict
from xstilts.studies.words import p_value, percent


def rule_in_words(settings: TypologyJob) -> str:
    """The rule that `decide` follows."""
    level = percent(1 - settings.alpha)
    return (
        f"not estimable, if more than {percent(settings.floor_share)} of the languages are not above chance "
        f"(binomial test per language at {settings.alpha:g}), or the model cannot be fitted "
        f"(fewer than {settings.minimum_languages} languages or {settings.minimum_families} families, "
        "constant scores or predictors, no degrees of freedom); "
        f"supports, if the {level} interval of the slope of degradation on {settings.primary_distance} "
        f"distance lies above {settings.smallest_slope:g}; contradicts, if it lies below; else inconclusive"
    )


def decide(
    fit: FamilyFit | str, floor: Floor | str, settings: TypologyJob, primary_id: str, span: float
) -> Verdict:
    """The verdict on the primary hypothesis; its p is of the slope against the smallest that matters.

    Args:
        fit: The primary model, or why there is none.
        floor: The comparison with chance, or why there is none.
        settings: Holds the thresholds.
        primary_id: Id of the primary row of tests.tsv.
        span: Distance between the nearest and the furthest language of the fit, for the words.
    """
    decision, reason, smallest = _judge(fit, floor, settings, span)
    p = None if isinstance(fit, str) or decision == "not estimable" else _p(fit, settings.smallest_slope)
    return Verdict(decision, rule_in_words(settings), primary_id, p, smallest, reason)


def _judge(
    fit: FamilyFit | str, floor: Floor | str, settings: TypologyJob, span: float
) -> tuple[Decision, str, float | None]:
    smallest = None
    if not isinstance(fit, str):
        smallest = settings.smallest_slope + detectable(
            fit.error, fit.freedom, settings.alpha, settings.power
        )
    if not isinstance(floor, str) and floor.share > settings.floor_share:
        reason = (
            f"Floor: in {len(floor.below)} of {floor.languages} languages retrieval is no better than "
            "guessing, so differences between languages say nothing about distance."
        )
        return "not estimable", reason, smallest
    if isinstance(fit, str) or smallest is None:
        return "not estimable", f"The question cannot be answered, because {fit}.", None
    finding, decision = _finding(fit, settings, span)
    unknown = f" Whether scores are above chance is not known, because {floor}." * isinstance(floor, str)
    power = (
        f" The smallest slope that this run could have found with {percent(settings.power)} power is "
        f"{smallest:.2f} ({100 * smallest * span:.1f} points)."
    )
    return decision, finding + power + unknown, smallest


def _p(fit: FamilyFit, threshold: float) -> float:
    """P of the two-sided t-test of the slope against `threshold` (score per unit of distance)."""
    return float(2 * stats.t.sf(abs(fit.estimate - threshold) / fit.error, fit.freedom))


def _finding(fit: FamilyFit, settings: TypologyJob, span: float) -> tuple[str, Decision]:
    distance, threshold = settings.primary_distance, settings.smallest_slope
    against = f" against {threshold:g}" if threshold else ""
    numbers = (
        f"slope {fit.estimate:.2f}, {percent(fit.level)} interval {fit.low:.2f} to {fit.high:.2f}, "
        f"{p_value(_p(fit, threshold))}{against}, {fit.languages} languages of {fit.families} families"
    )
    points = f"{100 * abs(fit.estimate) * span:.1f} points from the nearest to the furthest language"
    more = f" by more than {threshold:g} per unit" if threshold else ""
    if fit.low > threshold:
        return f"Degradation rises with {distance} distance{more}: {points} ({numbers}).", "supports"
    if fit.high < threshold:
        what = "does not rise" if threshold else "falls"
        return f"Degradation {what} with {distance} distance{more}: {points} ({numbers}).", "contradicts"
    sign = "rise" if fit.estimate > 0 else "fall"
    return (
        f"The languages show a {sign} with {distance} distance of {points}, which cannot be told from "
        f"none{' that matters' if threshold else ''} ({numbers}).",
        "inconclusive",
    )
