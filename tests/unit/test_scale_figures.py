"""The figures of S2: made from tables, readable, and of the same bytes every time."""

from pathlib import Path

import pandas as pd
import pytest
from matplotlib.figure import Figure

from tests.unit.gain_tables import LADDER, ladder_scores
from tests.unit.study_tables import language_table
from xstilts.studies.figures import save
from xstilts.studies.scale.analysis import analyse
from xstilts.studies.scale.figures import draw, in_units
from xstilts.studies.settings import ScaleJob
from xstilts.studies.tables import Tables

SETTINGS = ScaleJob(metrics={"tatoeba": "accuracy"})
FOUR = {name: LADDER[name] for name in ("small", "base", "large", "xl")}


@pytest.fixture(scope="module")
def analysed() -> tuple[Tables, pd.DataFrame]:
    languages = language_table()
    tables = Tables(ladder_scores(languages, sizes=FOUR), languages)
    return tables, analyse(tables, SETTINGS)[0]


def texts(figure: Figure) -> list[str]:
    return [item.get_text() for item in figure.findobj(lambda item: hasattr(item, "get_text"))]


def test_every_size_and_every_language_is_named(analysed: tuple[Tables, pd.DataFrame]) -> None:
    tables, tests = analysed
    figures = draw(tables, tests, SETTINGS, note="miniature")
    assert set(figures) == {"slopes", "gains"}
    slopes, gains = texts(figures["slopes"]), texts(figures["gains"])
    assert {"small\n300 M", "base\n580 M", "large\n1.2 B", "xl\n3.7 B"} <= set(slopes)
    assert "miniature" in slopes
    assert "miniature" in gains
    for code in set(tables.languages["language"]) - {"en"}:
        assert gains.count(code) == len(FOUR), code
    assert any(text.startswith("Change per tenfold parameters +0.") for text in slopes)


def test_runs_and_means_are_those_of_the_table(analysed: tuple[Tables, pd.DataFrame]) -> None:
    tables, tests = analysed
    axes = next(axes for axes in draw(tables, tests, SETTINGS)["slopes"].axes if axes.lines)
    drawn = {round(float(value), 6) for line in axes.lines for value in line.get_ydata()}
    rows = tests["statistic"].isin(["slope:syntactic", "run_slope:syntactic", "fitted_slope:syntactic"])
    assert set(tests.loc[rows, "estimate"].round(6)) <= drawn


def test_labels_lie_apart(analysed: tuple[Tables, pd.DataFrame]) -> None:
    tables, tests = analysed
    figure = draw(tables, tests, SETTINGS)["gains"]
    figure.draw_without_rendering()
    codes = set(tables.languages["language"])
    boxes = [
        text.get_window_extent() for axes in figure.axes for text in axes.texts if text.get_text() in codes
    ]
    clashes = sum(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])
    assert clashes <= 0.05 * len(boxes)


def test_files_are_the_same_bytes_every_time(tmp_path: Path) -> None:
    languages = language_table()
    tables = Tables(ladder_scores(languages, sizes=dict(list(LADDER.items())[:2])), languages)
    tests, _ = analyse(tables, SETTINGS)
    for folder in ("one", "two"):
        for name, figure in draw(tables, tests, SETTINGS).items():
            paths = save(figure, tmp_path / folder, name)
            assert len(paths) == 3
    for path in sorted((tmp_path / "one").iterdir()):
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes(), path.name


def test_what_is_not_estimable_is_said_in_the_figures() -> None:
    languages = language_table()
    tables = Tables(ladder_scores(languages, sizes=FOUR).query("recipe != 'mnli'"), languages)
    tests, _ = analyse(tables, SETTINGS)
    figures = draw(tables, tests, SETTINGS)
    assert "no size has a slope" in texts(figures["slopes"])
    assert "the scores hold no tatoeba of base, mnli and mlm" in texts(figures["gains"])


def test_parameters_in_units() -> None:
    assert [in_units(n) for n in (278e6, 1.3e10, 412_345, 12)] == ["278 M", "13 B", "412 k", "12"]
