"""Subsets of the languages by script, size of pre-training text, and family."""

import pandas as pd

from xstilts.studies.predictors import LATIN

ALL = "all languages but English"
SMALLEST_FAMILY = 3
"""A family with fewer languages is no subset of its own."""


def low_resource(languages: pd.DataFrame, known: pd.DataFrame, below_gib: float) -> set[str]:
    """The languages with less CC-100 text than `below_gib`, those without any, and those unseen by the model.

    Args:
        languages: languages.tsv. Its CC-100 sizes decide also where the run pre-trained the model, whose
            own corpus is measured in other amounts.
        known: What is known of each language, as the model meets it (`Tables.known`).
        below_gib: The threshold, in GiB.
    """
    amount = languages.set_index("language")["cc100_gib"].astype(float)
    small = set(amount.index[~(amount >= below_gib)])
    return small | set(known.loc[known["unseen"] > 0, "language"])


def subsets(known: pd.DataFrame, low: set[str]) -> dict[str, list[str]]:
    """The languages of each subset by its name, all languages first; a subset without languages is left out.

    Args:
        known: The languages that were scored, with family and script.
        low: Those that are low-resource.
    """
    frame = known.sort_values("language")
    codes, latin, small = frame["language"], frame["script"] == LATIN, frame["language"].isin(low)
    chosen = {
        ALL: codes,
        "Latin script": codes[latin],
        "other scripts": codes[~latin],
        "high-resource": codes[~small],
        "low-resource": codes[small],
    }
    families = frame["family"].value_counts()
    for family in sorted(families.index[families >= SMALLEST_FAMILY]):
        chosen[family] = codes[frame["family"] == family]
    return {name: list(members) for name, members in chosen.items() if len(members)}
