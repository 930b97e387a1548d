"""docs/statistics.md: the tests in words, and the table of simulations."""

import pandas as pd

STUDIES = {
    "typology": "S1, the family model with covariates",
    "scale": "S2, slope of slopes over sizes",
    "qa_retrieval": "S3, crossed mean and TOST",
    "order": "S4, permutation of the tasks within seeds",
    "similarity": "S5, permutation of the intermediate tasks",
}
COLUMNS = ["Scenario", "Planted", "Effect", "Seeds", "Coverage", "Bar", "Rejected", "Bar ", "Met"]
HEAD = """# Statistics

Made by the target `write_statistics` (`make statistics`), the table from {simulations:,} simulated data
sets per row; not edited by hand.

Two facts about the data shape every test. One checkpoint scores every language, so a run's luck is shared
by all of them: for a contrast of recipes the training run is the replicate. And languages of a family
resemble each other: inference over languages counts families.

| question | test | where |
|---|---|---|
| does a score depend on a property of languages (S1)? | linear model with a random intercept per family (REML), t with families minus fixed effects degrees of freedom; correlations are effect sizes with their range over leaving out one family, never tests | `family.py`, `correlation.py` |
| does a slope change with the size of the model (S2)? | one slope per size and run, averaged over runs, regressed on log10 parameters, t with sizes minus 2 | `slopes.py` |
| do two recipes differ (S3, gains)? | mean over runs and languages, which are crossed: variance (MS_seed + MS_language - MS_residual) / (S L), the languages' part under a random intercept per family, Satterthwaite's degrees of freedom; TOST with the same standard error | `crossed.py` |
| does the order of tasks matter (S4)? | mean square between orders against that after relabelling the tasks within each seed, which keeps the tree of shared prefixes | `permutation.py` |
| do gains follow similarity of tasks (S5)? | correlation over pairs, both centred by target, against that after permuting the intermediate tasks, each with its whole row of gains | `permutation.py` |

Libraries do what they can: pingouin (correlations, repeated measures, corrections), statsmodels (the mixed
model), scipy. Their gaps are filled in `xstilts/statistics/` and compared with R (`tests/reference/r/`), with
closed forms and with the simulations below. A wrong turn is named in the docstrings, with what it would
have cost.

## Simulated scores with a known truth

Values are in points, languages and families those of XTREME without English. Noise is shared by all languages
of a run, by the languages of a family, and by orders that begin alike. **Coverage**: how often the 95 %
interval held the truth; bars 91 to 99 % at three seeds, 93 to 97 % at five. **Rejected**: how often p was
below 0.05; where nothing was planted, the bar is the 99 % binomial band of 5 % (its upper end for tests with
few possible p-values); where something was, the power that the analyses themselves state, give or take 10
points.
"""


def page(table: pd.DataFrame) -> str:
    """The page of the simulations' table (xstilts.statistics.simulation.simulate)."""
    parts = [HEAD.format(simulations=int(table["simulations"].min()))]
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


def _percent(share: float) -> str:
    return "" if pd.isna(share) else f"{100 * share:.1f} %"


def _bar(low: float, high: float) -> str:
    return "" if pd.isna(low) else f"{100 * max(low, 0):.1f} to {100 * min(high, 1):.1f} %"
