"""Verdicts side by side: the primary tests are corrected over the studies."""

from pathlib import Path

import pandas as pd
import pytest
from statsmodels.stats.multitest import multipletests

from xstilts.errors import StudyError
from xstilts.studies import rows as table_of_tests
from xstilts.studies.rows import Row, not_estimable
from xstilts.studies.settings import StatisticsSettings
from xstilts.studies.verdict import Decision, Verdict
from xstilts.studies.verdicts import DECIDED, corrected
from xstilts.tables import write_table

SHARED = StatisticsSettings()


def study(folder: Path, decision: Decision, p: float | None, primaries: int = 1) -> Path:
    note = "" if p is not None else not_estimable("there are 2 runs")
    rows = [
        Row(folder.name, f"x{i}", "primary", "x", "m", "score", estimate=0.1, p=p, n=3, note=note)
        for i in range(primaries)
    ]
    rows.append(Row(folder.name, "y", "descriptive", "y", "m", "score"))
    write_table(table_of_tests.tests_table(rows, "fdr_bh", 0.05), folder / "tests.tsv")
    Verdict(decision, "a rule", "x0", p, 0.5, "a reason").write(folder / "verdict.json")
    return folder


def test_a_verdict_that_does_not_survive_the_correction_is_inconclusive(tmp_path: Path) -> None:
    folders = [
        study(tmp_path / "a", "supports", 0.001),
        study(tmp_path / "b", "supports", 0.04),
        study(tmp_path / "c", "not estimable", None),
        study(tmp_path / "d", "inconclusive", 0.5),
    ]
    table = corrected(folders, SHARED).set_index("study")
    assert table["verdict"].tolist() == ["supports", "inconclusive", "not estimable", "inconclusive"]
    assert table["alone"].tolist() == ["supports", "supports", "not estimable", "inconclusive"]
    assert table["p_adjusted"].round(3).tolist()[:2] == [0.003, 0.08]
    assert pd.isna(table.loc["c", "p_adjusted"])


@pytest.mark.parametrize("values", [[0.03], [0.01, 0.02, 0.03], [0.9, 0.001, 0.012, 0.02, 0.04], [0.05] * 4])
def test_the_correction_is_holms(tmp_path: Path, values: list[float]) -> None:
    folders = [study(tmp_path / str(i), "supports", p) for i, p in enumerate(values)]
    table = corrected(folders, SHARED)
    expected = multipletests(table["p"], method="holm")[1]
    assert table["p_adjusted"].to_numpy() == pytest.approx(expected, abs=1e-9)
    assert ((table["verdict"] == "supports") == (table["p_adjusted"] <= SHARED.alpha)).all()
    assert set(table["verdict"]) <= {*DECIDED, "inconclusive"}


@pytest.mark.parametrize("primaries", [0, 2])
def test_a_study_has_one_primary_test(tmp_path: Path, primaries: int) -> None:
    with pytest.raises(StudyError, match=f"{primaries} primary tests"):
        corrected([study(tmp_path / "a", "supports", 0.01, primaries)], SHARED)


def test_a_verdict_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    folder = study(tmp_path / "a", "supports", 0.01)
    (folder / "verdict.json").write_text("{}")
    with pytest.raises(StudyError, match="no readable verdict"):
        corrected([folder], SHARED)
