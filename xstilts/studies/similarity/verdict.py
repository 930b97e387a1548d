"""S5's rule, in code and in words from the same settings."""

from xstilts.statistics.permutation import LabelTest
from xstilts.studies.floor import Floor
from xstilts.studies.settings import SimilarityJob
from xstilts.studies.verdict import Decision, Verdict
from xstilts.studies.words import p_value, percent


def rule_in_words(settings: SimilarityJob) -> str:
    """The rule that `decide` follows."""
    return (
        f"a target task with fewer than {settings.minimum_low_resource} low-resource languages (less than "
        f"{settings.low_resource_gib:g} GiB of CC-100, or unseen) is left out; not estimable, if in more "
        f"than {percent(settings.floor_share)} of the pairs of retrieval task and low-resource language no "
        f"recipe is above chance (binomial test at {settings.alpha:g} over their number), or there are fewer "
        f"than {settings.minimum_intermediates} intermediate tasks, or similarities or gains are constant; "
        f"inconclusive, with fewer than {settings.minimum_seeds} runs of a pair of intermediate and target "
        "task; supports, if the correlation of similarity and gain over pairs, both centred by target task, "
        f"is above 0 with p of at most {settings.alpha:g} (intermediate tasks permuted, two-sided); "
        "contradicts, if it is below 0 with such a p; else inconclusive"
    )


def decide(
    test: LabelTest | str,
    floor: Floor | str | None,
    smallest: float | str,
    settings: SimilarityJob,
    primary_id: str,
    few_runs: str = "",
    remark: str = "",
) -> Verdict:
    """The verdict on the primary hypothesis.

    Args:
        test: The primary test, or why there is none.
        floor: The comparison of retrieval tasks with chance, or why there is none; None without such a task.
        smallest: The smallest detectable correlation, or why there is none.
        settings: Holds the thresholds.
        primary_id: Id of the primary row of tests.tsv.
        few_runs: Why luck cannot be told from an effect; empty with enough runs.
        remark: Which tasks are left out.
    """
    decision, reason = _judge(test, floor, settings, few_runs)
    p = None if isinstance(test, str) or decision == "not estimable" or few_runs else test.p
    detectable = None
    if not isinstance(test, str) and not few_runs:
        power = (
            f"The smallest correlation that this run could have found with {percent(settings.power)} power "
        )
        if isinstance(smallest, str):
            reason += f" {power}is not known, because {smallest}."
        else:
            detectable = smallest
            reason += f" {power}is {smallest:.2f}."
    if remark:
        reason += f" {remark[0].upper()}{remark[1:]}."
    return Verdict(decision, rule_in_words(settings), primary_id, p, detectable, reason)


def _judge(
    test: LabelTest | str, floor: Floor | str | None, settings: SimilarityJob, few_runs: str
) -> tuple[Decision, str]:
    if isinstance(floor, Floor) and floor.share > settings.floor_share:
        return "not estimable", (
            f"Floor: in {len(floor.below)} of {floor.languages} pairs of retrieval task and low-resource "
            "language no recipe is better than guessing, so gains there say nothing about tasks."
        )
    if isinstance(test, str):
        return "not estimable", f"The question cannot be answered, because {test}."
    if few_runs:
        return "inconclusive", f"Runs: {few_runs}, so luck cannot be told from an effect."
    numbers = (
        f"r = {test.r:.2f}, {p_value(test.p)}, {test.labels} intermediate and {test.groups} target tasks, "
        f"{test.pairs} pairs"
    ).replace("-", "\N{MINUS SIGN}")
    unknown = f" Whether scores are above chance is not known, because {floor}." * isinstance(floor, str)
    where = "in low-resource languages"
    if test.p > settings.alpha:
        reason = f"Similarity and gain {where} show no correlation that can be told from none ({numbers})."
        return "inconclusive", reason + unknown
    if test.r > 0:
        return "supports", f"More similar intermediate tasks gain more {where} ({numbers}).{unknown}"
    return "contradicts", f"More similar intermediate tasks gain less {where} ({numbers}).{unknown}"
