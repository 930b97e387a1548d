"""The study on published numbers: XLM-R Large on Tatoeba, without intermediate training."""

import os
from pathlib import Path

import pandas as pd
import pytest

from tests.unit.study_tables import language_table
from xstilts.studies.settings import TypologyJob
from xstilts.studies.tables import Tables
from xstilts.studies.typology.analysis import analyse

MIRROR = Path(os.environ.get("XSTILTS_MIRROR", Path(__file__).parents[3] / "shared" / "data"))
PUBLISHED = MIRROR.parent / "reference" / "jiant_xlmr_large_tatoeba_bucc_val.csv"


@pytest.mark.skipif(
    not PUBLISHED.is_file(), reason=f"the published numbers are not at hand ({PUBLISHED.name})"
)
def test_spearman_with_corpus_size_is_the_published_one() -> None:
    table = pd.read_csv(PUBLISHED, keep_default_na=False).query("task == 'Tatoeba'")
    fixed = {"run": "published", "model": "xlmr_large", "parameters": 559_890_432, "recipe": "mlm"}
    fixed |= {"intermediate": "-", "target": "-", "seed": 0, "task": "tatoeba", "split": "val"}
    fixed |= {"setting": "14-mean-en2xx-cosine", "metric": "accuracy", "n": 1000}
    scores = pd.DataFrame({"language": table["language"], "value": table["value"].astype(float)}).assign(
        **fixed
    )
    tests, verdict = analyse(
        Tables(scores, language_table()), TypologyJob(covariates=["size"], metrics={"tatoeba": "accuracy"})
    )
    size = tests.set_index("id").loc["spearman/size/xlmr_large/mlm/tatoeba"]
    assert size["n"] == 36
    assert size["estimate"] == pytest.approx(-0.72, abs=0.005)  # degradation falls as accuracy rises
    assert verdict.detectable_effect is not None
