"""From claims and evidence to claims.tsv: a verdict for every claim, and why."""

from dataclasses import replace
from operator import ge, gt, le, lt

import pandas as pd

from xstilts.claims.gains import DIGITS, NotRunError
from xstilts.claims.quantities import Evidence
from xstilts.claims.schema import Claim
from xstilts.studies.collapse import rests_on_collapse

REPRODUCED = "reproduced"
NOT_REPRODUCED = "not reproduced"
NOT_RUN = "not run at this tier"
COLUMNS = [
    *("id", "statement", "source", "tier", "operationalised", "quantity", "relation", "expected"),
    *("tolerance", "unit", "found", "verdict", "why"),
]
CONFIGURED = "a fact of the configuration, not a result"
RELATIONS = {"at_least": ge, "at_most": le, "above": gt, "below": lt}


def evaluate(evidence: Evidence, incidents: pd.DataFrame | None = None) -> pd.DataFrame:
    """A row per claim, in the order of claims.yaml.

    `found` is empty where the claim was not run. Numbers are written as short as they are exact, since their
    units differ. Where a collapsed run changes what is found, `why` says what there is without it.

    Args:
        evidence: What is known of the run.
        incidents: incidents.tsv, which names the collapsed runs.
    """
    table = _table(evidence)
    if incidents is None or not (doubtful := rests_on_collapse(evidence.scores, incidents)).any():
        return table
    other = _table(replace(evidence, scores=evidence.scores[~doubtful]))
    changed = (table["found"] != other["found"]) | (table["verdict"] != other["verdict"])
    without = (
        "without collapsed runs: " + other["found"].where(other["found"] != "", "-") + ", " + other["verdict"]
    )
    both = table["why"].where(table["why"] == "", table["why"] + "; ") + without
    return table.assign(why=table["why"].mask(changed, both))


def _table(evidence: Evidence) -> pd.DataFrame:
    return pd.DataFrame([_row(claim, evidence) for claim in evidence.claims.claims], columns=COLUMNS)


def _row(claim: Claim, evidence: Evidence) -> dict[str, str]:
    found, verdict, why = _judge(claim, evidence)
    return {
        "id": claim.id,
        "statement": claim.statement,
        "source": claim.source,
        "tier": claim.tier,
        "operationalised": "yes" if claim.operationalised else "no",
        "quantity": claim.quantity.in_words,
        "relation": claim.relation,
        "expected": _number(claim.expected),
        "tolerance": _number(claim.tolerance),
        "unit": claim.unit,
        "found": "" if found is None else _number(found),
        "verdict": verdict,
        "why": why,
    }


def _judge(claim: Claim, evidence: Evidence) -> tuple[float | None, str, str]:
    if gap := tier_gap(claim, evidence):
        return None, NOT_RUN, gap
    try:
        finding = evidence.find(claim.quantity)
    except NotRunError as missing:
        return None, NOT_RUN, str(missing)
    value = round(finding.value, DIGITS)
    verdict = REPRODUCED if holds(claim, value) and not finding.refuted else NOT_REPRODUCED
    nature = CONFIGURED if claim.tier == "configuration" else ""
    return value, verdict, "; ".join(filter(None, [nature, finding.refuted, finding.note]))


def holds(claim: Claim, value: float) -> bool:
    """Whether a value is in the claimed relation to the expected one."""
    if claim.relation == "equal":
        return round(abs(value - claim.expected), DIGITS) <= claim.tolerance
    return bool(RELATIONS[claim.relation](value, claim.expected))


def tier_gap(claim: Claim, evidence: Evidence) -> str:
    """Why a run cannot speak about a claim, whatever its numbers are; empty if it can."""
    run, model = evidence.run, evidence.claims.model
    if run.scores_are_given and claim.tier in ("paper", "data"):
        lacking = "no model was trained" if claim.tier == "paper" else "it has no training data"
        return f"the scores of the run {run.name} are published ones: {lacking}"
    if claim.tier == "paper":
        if run.miniature:
            return f"the run {run.name} is a miniature: its numbers say nothing about {model.title}"
        if not evidence.models:
            return f"no model of the run {run.name} starts from {model.repository}: {run.starts}"
    if claim.tier == "data" and run.source == "micro":
        return f"the data of the run {run.name} are generated: they say nothing about the published data"
    return ""


def _number(value: float) -> str:
    return f"{value:.{DIGITS}f}".rstrip("0").rstrip(".")
