"""The figures of S1: made from tables, readable, and of the same bytes every time."""

from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from tests.unit.study_tables import fertility_table, language_table, planted_scores
from xstilts.studies.figures import new_figure, place_labels, save
from xstilts.studies.scores import Scores
from xstilts.studies.settings import TypologyJob
from xstilts.studies.tables import Tables
from xstilts.studies.typology.analysis import Study, analyse
from xstilts.studies.typology.figures import forest, scatter

SETTINGS = TypologyJob(
    recipes=["mlm", "squad1"], distances=["syntactic", "genetic"], metrics={"tatoeba": "accuracy"}
)


@pytest.fixture(scope="module")
def analysed() -> tuple[Tables, pd.DataFrame]:
    languages = language_table()
    tables = Tables(planted_scores(languages), languages, fertility_table(languages))
    return tables, analyse(tables, SETTINGS)[0]


def texts(figure: Figure) -> list[str]:
    return [item.get_text() for item in figure.findobj(lambda item: hasattr(item, "get_text"))]


def test_every_language_is_labelled(analysed: tuple[Tables, pd.DataFrame]) -> None:
    tables, tests = analysed
    figure = scatter(tables, tests, SETTINGS, note="miniature")
    shown = texts(figure)
    assert set(tables.languages["language"]) - {"en"} <= set(shown)
    assert "miniature" in shown
    assert "Syntactic distance from English (0: none, 1: largest)" in shown
    n = tests.loc[tests["role"] == "primary", "n"].iloc[0]
    assert any(f"n = {n}" in text for text in shown)


def test_the_band_is_that_of_the_model(analysed: tuple[Tables, pd.DataFrame]) -> None:
    """Three fitted points give the whole band: compared with the model's own interval in between."""
    tables, tests = analysed
    study = Study(Scores.checked(tables.scores, SETTINGS), tables, SETTINGS)
    columns = ["distance_syntactic", *SETTINGS.covariates]
    fit = study.fit(study.primary.means, columns[0], columns[1:])
    at = study.primary.means.dropna(subset=columns)[columns].mean().to_numpy(float).copy()
    band = scatter(tables, tests, SETTINGS).axes[0].collections[0]
    outline = band.get_paths()[0].vertices
    for place in np.unique(outline[:, 0])[[5, 30, 50]]:
        at[0] = place
        _, low, high = fit.fitted(at)
        edges = outline[np.isclose(outline[:, 0], place), 1]
        assert (edges.min(), edges.max()) == pytest.approx((low, high), abs=1e-5)


def test_the_forest_has_a_panel_per_distance_and_a_row_per_recipe(
    analysed: tuple[Tables, pd.DataFrame],
) -> None:
    _, tests = analysed
    figure = forest(tests, SETTINGS)
    first = figure.axes[0]
    assert [text.get_text() for text in first.get_yticklabels()] == SETTINGS.recipes
    drawn = {round(float(line.get_xdata()[0]), 6) for line in first.lines if len(line.get_xdata()) == 1}
    rows = tests["statistic"].isin(["spearman:syntactic", "partial_spearman:syntactic"])
    assert drawn == set(tests.loc[rows, "estimate"].round(6))


def test_the_forest_says_where_a_range_could_not_be_made(analysed: tuple[Tables, pd.DataFrame]) -> None:
    """Without Indo-European every language would be equally far."""
    tables, tests = analysed
    assert not any("no line" in text for text in texts(forest(tests, SETTINGS)))
    languages = tables.languages
    far = languages["distance_genetic"].where(languages["family"] == "Indo-European", 1.0)
    changed = Tables(tables.scores, languages.assign(distance_genetic=far), tables.fertility)
    tests, _ = analyse(changed, SETTINGS)
    row = tests.set_index("id").loc["spearman/genetic/tiny/mlm/tatoeba"]
    assert row["note"].startswith("range not estimable, because without Indo-European")
    assert "no line: range not estimable\nminiature" in texts(forest(tests, SETTINGS, note="miniature"))


def test_files_are_the_same_bytes_every_time(analysed: tuple[Tables, pd.DataFrame], tmp_path: Path) -> None:
    tables, tests = analysed
    for folder in ("one", "two"):
        paths = save(scatter(tables, tests, SETTINGS), tmp_path / folder, "scatter")
        paths += save(forest(tests, SETTINGS), tmp_path / folder, "forest")
    assert sorted(path.name for path in (tmp_path / "two").iterdir()) == sorted(path.name for path in paths)
    for path in paths:
        assert path.read_bytes() == (tmp_path / "one" / path.name).read_bytes(), path.name
    svg = (tmp_path / "one" / "scatter.svg").read_text(encoding="utf-8")
    assert ElementTree.fromstring(svg).tag.endswith("svg")
    assert "<text" not in svg  # glyphs travel as outlines
    assert b"Type /Font" in (tmp_path / "one" / "scatter.pdf").read_bytes()


def test_what_is_not_estimable_is_said_in_the_figures() -> None:
    languages = language_table()
    tables = Tables(planted_scores(languages).iloc[:0], languages, fertility_table(languages))
    tests, _ = analyse(tables, SETTINGS)
    shown = texts(scatter(tables, tests, SETTINGS))
    assert any("not estimable" in text for text in shown)
    assert "no language has both a score and a syntactic distance" in shown
    assert "not estimable" in texts(forest(tests, SETTINGS))


def test_labels_do_not_collide() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.random(38), rng.random(38)
    figure = new_figure(150, 110)
    axes = figure.subplots()
    axes.plot(x, y, "o", markersize=5)
    place_labels(axes, x.tolist(), y.tolist(), [f"l{number}" for number in range(38)])
    figure.draw_without_rendering()
    boxes = [text.get_window_extent() for text in axes.texts]
    assert len(boxes) == 38
    clashes = sum(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])
    assert clashes == 0
