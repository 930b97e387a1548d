"""The study on published numbers: XLM-R Large on Tatoeba, without intermediate training."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr

from xstilts import registry, settings
from xstilts.languages import language_table
from xstilts.plan import Plan
from xstilts.scoring.published import imported
from xstilts.studies.tables import Tables
from xstilts.studies.typology.analysis import analyse
from xstilts.tables import read_table

ROOT = Path(__file__).parents[2]
SHIPPED = ROOT / "published/xlmr_large_tatoeba.tsv"
MIRROR = Path(os.environ.get("XSTILTS_MIRROR", ROOT.parent / "shared" / "data"))
SOURCE = MIRROR.parent / "reference" / "jiant_xlmr_large_tatoeba_bucc_val.csv"
CELL = "xlmr_large/mlm/tatoeba"


@pytest.fixture(scope="module")
def scores() -> pd.DataFrame:
    """scores.tsv of the run."""
    return imported(read_table(SHIPPED), "published-tatoeba", str(SHIPPED))


@pytest.fixture(scope="module")
def tests(scores: pd.DataFrame) -> pd.DataFrame:
    """tests.tsv of the run, by id."""
    plan = Plan(settings.read(ROOT / "config.yaml", ROOT / "config/published-tatoeba.yaml"))
    languages = language_table(registry.languages())
    return analyse(Tables(scores, languages), plan.study_job("typology"))[0].set_index("id")


def test_spearman_with_corpus_size_is_the_published_one(scores: pd.DataFrame, tests: pd.DataFrame) -> None:
    size = tests.loc[f"spearman/size/{CELL}"]
    assert size["n"] == 36
    assert size["estimate"] == pytest.approx(-0.72, abs=0.005)  # degradation falls as accuracy rises
    gib = [registry.languages()[code].cc100_gib for code in scores["language"]]
    accuracy = spearmanr(np.log10(np.array(gib, float)), scores["value"]).statistic
    assert accuracy == pytest.approx(-size["estimate"], abs=1e-9)


@pytest.mark.parametrize("covariates", ["", "/no_covariates"])
def test_the_slope_on_syntactic_distance_is_estimable_with_and_without_size(
    tests: pd.DataFrame, covariates: str
) -> None:
    slope = tests.loc[f"slope/syntactic/{CELL}{covariates}"]
    assert slope["n"] == 36
    assert 0 < slope["low"] < slope["estimate"] < slope["high"]
    assert slope["p"] < 0.05
    assert ("log10 pre-training size" in slope["method"]) == (not covariates)


@pytest.mark.skipif(not SOURCE.is_file(), reason=f"the source is not at hand ({SOURCE.name})")
def test_the_shipped_table_is_its_source(scores: pd.DataFrame) -> None:
    source = pd.read_csv(SOURCE, keep_default_na=False).query("task == 'Tatoeba'")
    expected = dict(zip(source["language"], source["value"].astype(float), strict=True))
    assert dict(zip(scores["language"], scores["value"], strict=True)) == expected
