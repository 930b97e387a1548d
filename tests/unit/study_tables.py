"""Tables for the tests of studies: real families and scripts, simulated distances and scores."""

from collections.abc import Callable

import numpy as np
import pandas as pd

from xstilts.registry import languages

DISTANCES = ("syntactic", "phonological", "inventory", "featural", "genetic", "geographic")


def language_table(seed: int = 1) -> pd.DataFrame:
    """XTREME's languages with their families, and distances that languages of a family share in part."""
    rng = np.random.default_rng(seed)
    entries = {code: entry for code, entry in languages().items() if entry.xtreme}
    family_part = {name: rng.normal() for name in sorted({entry.family for entry in entries.values()})}
    rows = []
    for code, entry in sorted(entries.items()):
        row: dict[str, object] = {"language": code} | entry.model_dump()
        for name in DISTANCES:
            own = 0.5 + 0.1 * (0.7 * family_part[entry.family] + 0.7 * rng.normal())
            row |= {f"distance_{name}": 0.0 if code == "en" else own, f"coverage_{name}": 1.0}
        rows.append(row)
    return pd.DataFrame(rows)


def fertility_table(table: pd.DataFrame, seed: int = 2) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {"language": table["language"], "fertility": 1 + rng.random(len(table)), "model": "tiny"}
    )


def score_rows(
    table: pd.DataFrame,
    value: Callable[[pd.Series], float],
    *,
    model: str = "tiny",
    recipe: str = "mlm",
    seed: int = 0,
) -> pd.DataFrame:
    """A score of Tatoeba for every language but English."""
    others = table[table["language"] != "en"]
    setting = "-" if recipe == "-" else "1-mean-en2xx-cosine"
    fixed = {"run": "test", "model": model, "parameters": 0 if recipe == "-" else 1000, "recipe": recipe}
    fixed |= {
        "intermediate": "-" if recipe in {"mlm", "-", "untrained"} else recipe,
        "target": "-",
        "seed": seed,
    }
    fixed |= {"task": "tatoeba", "split": "test", "setting": setting, "metric": "accuracy", "n": 500}
    rows = [fixed | {"language": row["language"], "value": value(row)} for _, row in others.iterrows()]
    return pd.DataFrame(rows)


def planted_scores(table: pd.DataFrame, slope: float = 0.8, seed: int = 3, seeds: int = 3) -> pd.DataFrame:
    """Scores that fall with syntactic distance in `mlm`, half as steeply after `squad1`; with controls."""
    rng = np.random.default_rng(seed)

    def falling(steepness: float) -> Callable[[pd.Series], float]:
        return lambda row: 0.5 - steepness * (row["distance_syntactic"] - 0.5) + 0.02 * rng.normal()

    parts = [score_rows(table, falling(slope))]
    parts += [score_rows(table, falling(slope / 2), recipe="squad1", seed=k) for k in range(seeds)]
    parts += [
        score_rows(table, lambda row: 0.1, recipe="untrained"),
        score_rows(table, lambda row: 1 / 500, model="chance", recipe="-"),
        score_rows(table, lambda row: 0.3, model="tfidf", recipe="-"),
    ]
    return pd.concat(parts, ignore_index=True)
