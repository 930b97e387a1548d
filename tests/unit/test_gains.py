"""Scores and gains: what is compared is the same model, seed, language and split."""

import pandas as pd
import pytest

from tests.unit.gain_tables import cell
from xstilts.errors import StudyError
from xstilts.studies.scores import Scores, gains
from xstilts.studies.settings import ScaleJob

CODES = ["de", "fi", "kk", "th"]
SETTINGS = ScaleJob(recipes=["mnli"], tasks=["tatoeba"], metrics={"tatoeba": "accuracy"})


def of(*cells: pd.DataFrame) -> pd.DataFrame:
    scores = Scores.checked(pd.concat(cells, ignore_index=True), SETTINGS)
    return gains(scores, "tiny", "mnli", "tatoeba")


def both() -> tuple[pd.DataFrame, pd.DataFrame]:
    return cell(CODES, [0.2, 0.3, 0.4, 0.5]), cell(CODES, [0.3, 0.4, 0.5, 0.6], recipe="mnli", seed=1)


def test_some_languages_may_have_one_split_and_others_another() -> None:
    before, after = both()
    for table in (before, after):
        table.loc[table["language"].isin(["kk", "th"]), "split"] = "dev"
    found = of(before, after)
    assert found["language"].tolist() == CODES
    assert found["gain"].tolist() == pytest.approx([0.1] * 4)


def test_no_gain_is_made_of_two_splits() -> None:
    before, after = both()
    before.loc[before["language"] == "kk", "split"] = "dev"
    assert of(before, after)["language"].tolist() == ["de", "fi", "th"]


def test_a_language_with_two_splits_needs_a_choice() -> None:
    before, after = both()
    with pytest.raises(StudyError, match="several splits: dev, test"):
        of(before, after, after.assign(split="dev"))


def test_two_retrieval_settings_need_a_choice_though_no_language_has_both() -> None:
    before, after = both()
    after.loc[after["language"] == "kk", "setting"] = "2-mean-en2xx-cosine"
    with pytest.raises(StudyError, match="several settings"):
        of(before, after)
