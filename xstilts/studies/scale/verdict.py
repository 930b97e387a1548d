"""S2's rule, in code and in words from the same settings."""

from collections.abc import Mapping

from xstilts.statistics.crossed import tost
from xstilts.statistics.power import detectable
from xstilts.statistics.slopes import SlopeOfSlopes
from xstilts.studies.floor import Floor
from xstilts.studies.settings import ScaleJob
from xstilts.studies.verdict import Decision, Verdict
from xstilts.studies.words import p_value, percent


def rule_in_words(settings: ScaleJob) -> str:
    """The rule that `decide` follows."""
    level, margin = percent(1 - settings.alpha), settings.smallest_effect
    beyond = f"beyond {margin:g} on either side of 0" if margin else "on one side of 0"
    contradicts = (
        f"contradicts, if two one-sided tests at {settings.alpha:g} show that it is within {margin:g} of 0; "
        if margin
        else ""
    )
    return (
        f"not estimable, if in some size more than {percent(settings.floor_share)} of the languages of "
        f"{settings.tasks[0]} are above chance neither with {settings.recipes[0]} nor without (binomial test "
        f"at {settings.alpha:g} over two; retrieval tasks only), or if fewer than "
        f"{settings.minimum_sizes} sizes have a slope (of at least {settings.minimum_languages} languages of "
        f"{settings.minimum_families} families); supports, if the {level} interval of the change of the "
        f"slope of gain on similarity per tenfold parameters lies {beyond}; {contradicts}else inconclusive"
    )


def decide(
    fit: SlopeOfSlopes | str,
    floors: Mapping[str, Floor | str],
    slopes: Mapping[str, float],
    settings: ScaleJob,
    primary_id: str,
) -> Verdict:
    """The verdict on the primary hypothesis.

    Args:
        fit: The change of the slope with size, or why there is none.
        floors: By model, the languages at chance in both arms, or why they are not known; empty where the
            task has no floor.
        slopes: By model, the slope of gain on similarity, for the words.
        settings: Holds the thresholds.
        primary_id: Id of the primary row of tests.tsv.
    """
    rule, smallest = rule_in_words(settings), None
    if not isinstance(fit, str):
        smallest = settings.smallest_effect + detectable(
            fit.error, fit.freedom, settings.alpha, settings.power
        )
    low = [
        f"{model} ({len(floor.below)} of {floor.languages} languages)"
        for model, floor in floors.items()
        if not isinstance(floor, str) and floor.share > settings.floor_share
    ]
    if low:
        reason = (
            "Floor: with and without intermediate training, retrieval is no better than guessing in "
            f"{', '.join(low)}, so gains there say nothing about similarity. "
            "Leave these sizes out to ask about the others."
        )
        return Verdict("not estimable", rule, primary_id, None, smallest, reason)
    described = _in_words(slopes)
    if isinstance(fit, str) or smallest is None:
        reason = f"The question cannot be answered, because {fit}.{described}"
        return Verdict("not estimable", rule, primary_id, None, None, reason)
    decision, p, finding = _finding(fit, settings)
    unknown = sorted({floor for floor in floors.values() if isinstance(floor, str)})
    reasons = [
        finding + described,
        f"The smallest change that this run could have found with {percent(settings.power)} power is "
        f"{smallest:.2f} per tenfold parameters.",
        *(f"Whether scores are above chance is not known, because {reason}." for reason in unknown),
    ]
    return Verdict(decision, rule, primary_id, p, smallest, " ".join(reasons))


def _in_words(slopes: Mapping[str, float]) -> str:
    if not slopes:
        return ""
    return f" Slopes by size: {', '.join(f'{slope:.2f} ({model})' for model, slope in slopes.items())}."


def _finding(fit: SlopeOfSlopes, settings: ScaleJob) -> tuple[Decision, float, str]:
    margin = settings.smallest_effect
    numbers = (
        f"{fit.estimate:+.2f} per tenfold parameters, {percent(fit.level)} interval {fit.low:+.2f} to "
        f"{fit.high:+.2f}, {p_value(fit.p)}, {fit.sizes} sizes"
    )
    what = f"The slope of gain on {settings.distance} similarity"
    by = f" by more than {margin:g}" if margin else ""
    if fit.low > margin:
        return "supports", fit.p, f"{what} rises with the size of the model{by} ({numbers})."
    if fit.high < -margin:
        return "supports", fit.p, f"{what} falls with the size of the model{by} ({numbers})."
    if margin:
        equivalence = tost(fit, margin, settings.alpha)
        if equivalence.p <= settings.alpha:
            found = f"{what} changes by less than {margin:g} with the size of the model ({numbers})."
            return "contradicts", equivalence.p, found
    than = f" more than {margin:g}" if margin else ""
    return (
        "inconclusive",
        fit.p,
        f"{what} cannot be said to change{than} with the size of the model ({numbers}).",
    )
