"""S3's rule, in code and in words from the same settings."""

from collections.abc import Mapping
from dataclasses import dataclass

from xstilts.statistics.crossed import CrossedMean, tost
from xstilts.statistics.power import detectable_crossed
from xstilts.studies.floor import Floor
from xstilts.studies.settings import MLM, QARetrievalJob
from xstilts.studies.verdict import Decision, Verdict
from xstilts.studies.words import p_value, percent


@dataclass(frozen=True)
class Unanswered:
    """Why there is no primary test; `runs` if it is for want of runs."""

    reason: str
    runs: bool = False


def rule_in_words(settings: QARetrievalJob) -> str:
    """The rule that `decide` follows."""
    level, both = percent(1 - settings.alpha), percent(1 - 2 * settings.alpha)
    return (
        f"not estimable, if in more than {percent(settings.floor_share)} of the pairs of task and language "
        f"none of the compared arms is above chance (binomial test at {settings.alpha:g} over their number), "
        f"or the scores of an arm are missing, or there are fewer than {settings.minimum_languages} "
        f"languages or {settings.minimum_families} families; inconclusive, with fewer than "
        f"{settings.minimum_seeds} runs; supports, if the {level} interval of multilingual minus English QA "
        f"({settings.matched_examples} examples each) lies above 0; contradicts, if it lies below 0, or else "
        f"if the two are equivalent: the {both} interval lies within {settings.margin:g} of 0 (TOST); else "
        "inconclusive"
    )


def decide(
    mean: CrossedMean | Unanswered,
    floor: Floor | str,
    sides: Mapping[str, CrossedMean | Unanswered],
    settings: QARetrievalJob,
    primary_id: str,
) -> Verdict:
    """The verdict on the primary hypothesis.

    Args:
        mean: The primary contrast, or why there is none.
        floor: The comparison with chance, or why there is none.
        sides: What each side of the contrast, by its name, gains over the masked LM, or why none is known.
        settings: Holds the thresholds.
        primary_id: Id of the primary row of tests.tsv.
    """
    decision, reason, p = _judge(mean, floor, sides, settings)
    smallest = None
    if isinstance(mean, CrossedMean):
        smallest = detectable_crossed(mean, settings.alpha, settings.power)
        reason += (
            f" The smallest difference that this run could have found with {percent(settings.power)} power "
            f"is {100 * smallest:.2f} points."
        )
    return Verdict(decision, rule_in_words(settings), primary_id, p, smallest, reason)


def _judge(
    mean: CrossedMean | Unanswered,
    floor: Floor | str,
    sides: Mapping[str, CrossedMean | Unanswered],
    settings: QARetrievalJob,
) -> tuple[Decision, str, float | None]:
    if not isinstance(floor, str) and floor.share > settings.floor_share:
        reason = (
            f"Floor: in {len(floor.below)} of {floor.languages} pairs of task and language no arm is better "
            "than guessing, so differences between arms say nothing about their training."
        )
        return "not estimable", reason, None
    if isinstance(mean, Unanswered):
        if mean.runs:
            return "inconclusive", f"Runs: {mean.reason}, so luck cannot be told from an effect.", None
        return "not estimable", f"The question cannot be answered, because {mean.reason}.", None
    decision, finding, p = _finding(mean, settings)
    unknown = f" Whether scores are above chance is not known, because {floor}." * isinstance(floor, str)
    return decision, finding + _against_mlm(sides) + unknown, p


def _finding(mean: CrossedMean, settings: QARetrievalJob) -> tuple[Decision, str, float]:
    numbers = f"{_with_interval(mean)}, {p_value(mean.p)}, {mean.seeds} runs, {mean.languages} languages"
    margin = f"{100 * settings.margin:g} points"
    equal = tost(mean, settings.margin, settings.alpha)
    same = equal.p <= settings.alpha
    small = f" The difference is nevertheless within {margin} (TOST, {p_value(equal.p)})." * same
    if mean.low > 0:
        reason = f"Multilingual QA is the better preparation for retrieval ({numbers}).{small}"
        return "supports", reason, mean.p
    if mean.high < 0:
        reason = f"Multilingual QA is worse: English QA is the better preparation ({numbers}).{small}"
        return "contradicts", reason, mean.p
    if same:
        reason = (
            f"English and multilingual QA are equivalent within {margin} ({numbers}; TOST, "
            f"{p_value(equal.p)})."
        )
        return "contradicts", reason, equal.p
    reason = f"English and multilingual QA can be told neither apart nor equal within {margin} ({numbers})."
    return "inconclusive", reason, mean.p


def _against_mlm(sides: Mapping[str, CrossedMean | Unanswered]) -> str:
    """Whether either kind of QA helps at all."""
    return f" Against {MLM}, with no such training: {'; '.join(_gain(*side) for side in sides.items())}."


def _gain(side: str, mean: CrossedMean | Unanswered) -> str:
    if isinstance(mean, Unanswered):
        return f"{side} is not compared, because {mean.reason}"
    effect = "raises" if mean.low > 0 else "lowers" if mean.high < 0 else "neither clearly raises nor lowers"
    return f"{side} {effect} the score ({_with_interval(mean)})"


def _with_interval(mean: CrossedMean) -> str:
    bounds = f"{_points(mean.low)} to {_points(mean.high)}"
    return f"{_points(mean.estimate)}, {percent(mean.level)} interval {bounds}"


def _points(value: float) -> str:
    return f"{100 * value:+.2f} points".replace("-", "\N{MINUS SIGN}")
