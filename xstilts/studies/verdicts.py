"""All studies side by side: each has one primary test, and these are corrected over one another."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from xstilts.errors import StudyError
from xstilts.statistics.multiplicity import adjust
from xstilts.studies.rows import COLUMNS as TEST_COLUMNS
from xstilts.studies.settings import StatisticsSettings
from xstilts.studies.verdict import Verdict
from xstilts.tables import read_table

COLUMNS = ["study", "verdict", "alone", "estimate", "low", "high", "p", "p_adjusted", "detectable_effect"]
COLUMNS += ["unit", "n", "reason", "rule"]
DECIDED = ("supports", "contradicts")


def corrected(folders: Sequence[Path], settings: StatisticsSettings) -> pd.DataFrame:
    """One row per study: its primary test, its verdict alone, and what is left of it after correction.

    A study that supports or contradicts by itself is inconclusive if its corrected p exceeds alpha. Only
    tests that could be made are counted in the correction.

    Args:
        folders: A folder per study with tests.tsv and verdict.json; its name is the study's.
        settings: The level and the correction.

    Raises:
        StudyError: if a study has no primary test, or more than one.
    """
    rows = []
    for folder in folders:
        tests, verdict = read_table(folder / "tests.tsv"), Verdict.read(folder / "verdict.json")
        primary = tests[tests["role"] == "primary"].reindex(columns=TEST_COLUMNS)
        if len(primary) != 1:
            raise StudyError(f"a study has {len(primary)} primary tests, not one", where=str(folder))
        row = primary.iloc[0]
        rows.append(
            {
                "study": folder.name,
                "alone": verdict.verdict,
                "p": verdict.p,
                "detectable_effect": verdict.detectable_effect,
                "reason": verdict.reason,
                "rule": verdict.rule,
                **{name: row[name] for name in ("estimate", "low", "high", "unit", "n")},
            }
        )
    table = pd.DataFrame(rows, columns=[name for name in COLUMNS if name not in ("verdict", "p_adjusted")])
    table["p_adjusted"] = pd.Series(float("nan"), index=table.index)
    tested = table["p"].notna()
    table.loc[tested, "p_adjusted"] = adjust(
        table.loc[tested, "p"].tolist(), settings.primary_correction, settings.alpha
    )
    lost = table["alone"].isin(DECIDED) & (table["p_adjusted"] > settings.alpha)
    table["verdict"] = table["alone"].mask(lost, "inconclusive")
    return table[COLUMNS]
