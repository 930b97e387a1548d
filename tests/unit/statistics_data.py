"""Data that the tests of statistics share."""

import numpy as np
import pandas as pd

from tests.unit.study_tables import fertility_table, language_table


def language_frame() -> pd.DataFrame:
    """XTREME's languages, their real families, and simulated predictors."""
    table = language_table()
    known = table.assign(fertility=fertility_table(table)["fertility"], size=np.log10(table["cc100_gib"]))
    return known[known["language"] != "en"].dropna(subset=["size"]).reset_index(drop=True)


def noise(frame: pd.DataFrame, share: float, rng: np.random.Generator) -> np.ndarray:
    """Noise of variance 1, of which languages of one family share `share`."""
    family = frame["family"].factorize()[0]
    common = rng.normal(size=family.max() + 1)[family]
    return np.sqrt(share) * common + np.sqrt(1 - share) * rng.normal(size=len(frame))
