"""S4's rule, in code and in words from the same settings."""

from collections.abc import Mapping

from xstilts.statistics.permutation import OrderTest
from xstilts.studies.floor import Floor
from xstilts.studies.settings import OrderJob
from xstilts.studies.verdict import Decision, Verdict
from xstilts.studies.words import p_value, percent


def rule_in_words(settings: OrderJob) -> str:
    """The rule that `decide` follows."""
    return (
        "not estimable, if in a retrieval task no sequence is above chance in more than "
        f"{percent(settings.floor_share)} of the languages (binomial test at {settings.alpha:g} over their "
        f"number), or if there are too few distinct relabellings for a p of {settings.alpha:g}; "
        f"inconclusive, with fewer than {settings.minimum_seeds} runs; supports, if the permutation test of "
        "the variance between sequences (tasks relabelled within each seed) has p of at most "
        f"{settings.alpha:g}; else inconclusive. It never contradicts: a test that finds no "
        "difference does not show that there is none"
    )


def decide(
    test: OrderTest | str,
    detectable: float | str,
    floors: Mapping[str, Floor | str],
    settings: OrderJob,
    primary_id: str,
    runs: int,
) -> Verdict:
    """The verdict on the primary hypothesis.

    Args:
        test: The permutation test, or why there is none.
        detectable: The standard deviation between orders that the test would have found, or why it is not
            known.
        floors: By retrieval task, the languages at chance in every sequence, or why they are not known.
        settings: Holds the thresholds.
        primary_id: Id of the primary row of tests.tsv.
        runs: How many each sequence has; 0 without scores.
    """
    rule = rule_in_words(settings)
    smallest = None if isinstance(detectable, str) else detectable
    low = [
        f"{task} ({len(floor.below)} of {floor.languages} languages)"
        for task, floor in floors.items()
        if not isinstance(floor, str) and floor.share > settings.floor_share
    ]
    if low:
        reason = (
            f"Floor: retrieval is no better than guessing in {', '.join(low)}, so differences between "
            "sequences are noise there. Leave these tasks out to ask about the others."
        )
        return Verdict("not estimable", rule, primary_id, None, smallest, reason)
    if isinstance(test, str) and 0 < runs < settings.minimum_seeds:
        reason = f"Runs: {test}, so luck cannot be told from an effect."
        return Verdict("inconclusive", rule, primary_id, None, None, reason)
    if isinstance(test, str):
        reason = f"The question cannot be answered, because {test}."
        return Verdict("not estimable", rule, primary_id, None, smallest, reason)
    unknown = sorted({floor for floor in floors.values() if isinstance(floor, str)})
    reasons = [
        _finding(test, settings),
        _power(detectable, settings),
        *(f"Whether scores are above chance is not known, because {reason}." for reason in unknown),
    ]
    decision: Decision = "supports" if test.p <= settings.alpha else "inconclusive"
    return Verdict(decision, rule, primary_id, test.p, smallest, " ".join(reasons))


def _finding(test: OrderTest, settings: OrderJob) -> str:
    numbers = (
        f"standard deviation between sequences {100 * test.component**0.5:.2f} points, {p_value(test.p)}, "
        f"{test.orders} sequences with {test.seeds} seeds"
    )
    if test.p <= settings.alpha:
        return f"The order of the tasks changes the score ({numbers})."
    return (
        f"Sequences do not differ by more than the luck of their runs explains ({numbers}); this does not "
        "show that order is irrelevant."
    )


def _power(detectable: float | str, settings: OrderJob) -> str:
    if isinstance(detectable, str):
        return f"What this run could have found is not known, because {detectable}."
    return (
        f"The smallest standard deviation between sequences that this run could have found with "
        f"{percent(settings.power)} power is {100 * detectable:.2f} points."
    )
