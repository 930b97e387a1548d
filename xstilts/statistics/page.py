"""docs/statistics.md: the tests in words, and the table of simulations."""

from pathlib import Path
from typing import Any

import pandas as pd

STUDIES = {
    "typology": "S1, the family model with covariates",
    "scale": "S2, slope of slopes over sizes",
    "qa_retrieval": "S3, crossed mean and TOST",
    "order": "S4, permutation of the tasks within seeds",
    "similarity": "S5, permutation of the intermediate tasks",
}
COLUMNS = ["Scenario", "Planted", "Effect", "Seeds", "Coverage", "Bar", "Rejected", "Bar ", "Met"]
HEAD = Path(__file__).with_name("page.md")


def page(table: pd.DataFrame) -> str:
    """The page of the simulations' table (xstilts.statistics.simulation.simulate)."""
    parts = [HEAD.read_text(encoding="utf-8").format(simulations=int(table["simulations"].min()))]
    for study, title in STUDIES.items():
        rows = table[table["study"] == study]
        if len(rows):
            parts += [f"### {title}\n", "| " + " | ".join(COLUMNS) + " |", "|" + "---|" * len(COLUMNS)]
            parts += [_row(row) for _, row in rows.iterrows()]
            parts.append("")
    met = int(table["ok"].astype(str).str.lower().eq("true").sum())
    parts.append(f"{met} of {len(table)} rows meet their bars.")
    return "\n".join(parts) + "\n"


def _row(row: "pd.Series") -> str:
    cells = [row["scenario"], row["planted"], f"{row['effect']:g}", str(row["seeds"])]
    for name in ("coverage", "rejected"):
        cells += [_percent(row[name]), _bar(row[f"{name}_low"], row[f"{name}_high"])]
    return "| " + " | ".join([*cells, "yes" if str(row["ok"]).lower() == "true" else "**no**"]) + " |"


def _percent(share: Any) -> str:
    return "" if pd.isna(share) else f"{100 * share:.1f} %"


def _bar(low: Any, high: Any) -> str:
    return "" if pd.isna(low) else f"{100 * max(low, 0):.1f} to {100 * min(high, 1):.1f} %"
