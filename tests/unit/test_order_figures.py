"""The figures of S4: made from tables, readable, and of the same bytes every time."""

from itertools import permutations
from pathlib import Path

import pandas as pd
import pytest
from matplotlib.figure import Figure

from tests.unit.gain_tables import TASKS, order_scores
from tests.unit.study_tables import language_table
from xstilts.studies.figures import save
from xstilts.studies.order.analysis import analyse
from xstilts.studies.order.figures import draw
from xstilts.studies.settings import OrderJob
from xstilts.studies.subsets import ALL
from xstilts.studies.tables import Tables

SETTINGS = OrderJob(metrics={"tatoeba": "accuracy"}, named={"similar_last": "mnli-csqa-squad1"})
ORDERS = {"-".join(order) for order in permutations(TASKS)}


@pytest.fixture(scope="module")
def analysed() -> tuple[Tables, pd.DataFrame]:
    languages = language_table()
    tables = Tables(order_scores(languages, effect=0.02), languages)
    return tables, analyse(tables, SETTINGS)[0]


def texts(figure: Figure) -> list[str]:
    return [item.get_text() for item in figure.findobj(lambda item: hasattr(item, "get_text"))]


def test_every_sequence_has_a_row_and_every_subset_a_panel(analysed: tuple[Tables, pd.DataFrame]) -> None:
    tables, tests = analysed
    figure = draw(tables, tests, SETTINGS, note="miniature")["sequences"]
    first = figure.axes[0]
    labels = [text.get_text() for text in first.get_yticklabels()]
    assert {label.split(": ")[-1] for label in labels} == ORDERS | {"mlm", "csqa+mnli+squad1"}
    assert "similar last: mnli-csqa-squad1" in labels
    assert labels[-2:] == ["csqa+mnli+squad1", "mlm"]
    shown = texts(figure)
    assert "miniature" in shown
    titles = [text.split(" (")[0] for text in shown if "\norder: p" in text]
    assert titles[0] == ALL
    assert {"Latin script", "other scripts", "low-resource", "high-resource", "Indo-European"} <= set(titles)
    assert any("\N{LEFTWARDS ARROW}" in text for text in shown)  # mlm is far below


def test_runs_and_means_are_drawn(analysed: tuple[Tables, pd.DataFrame]) -> None:
    tables, tests = analysed
    axes = draw(tables, tests, SETTINGS)["sequences"].axes[0]
    drawn = [float(value) for line in axes.lines for value in line.get_xdata()]
    rows = tests[(tests["statistic"] == "mean_score") & (tests["subset"] == ALL)].set_index("recipe")
    for order in ORDERS:
        for name in ("estimate", "low", "high"):
            assert any(abs(value - rows.loc[order, name]) < 1e-9 for value in drawn)


def test_the_heat_map_has_every_number(analysed: tuple[Tables, pd.DataFrame]) -> None:
    tables, tests = analysed
    shown = texts(draw(tables, tests, SETTINGS, note="miniature")["positions"])
    rows = tests[tests["statistic"].str.startswith("position:")]
    assert len(rows) == 9
    for _, row in rows.iterrows():
        assert any(text.startswith(f"{100 * row['estimate']:+.2f}\n[") for text in shown)
    assert {"csqa", "mnli", "squad1", "1", "2", "3"} <= set(shown)
    assert any("miniature" in text for text in shown)


def test_files_are_the_same_bytes_every_time(analysed: tuple[Tables, pd.DataFrame], tmp_path: Path) -> None:
    tables, tests = analysed
    for folder in ("one", "two"):
        for name, figure in draw(tables, tests, SETTINGS).items():
            assert len(save(figure, tmp_path / folder, name)) == 3
    for path in sorted((tmp_path / "one").iterdir()):
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes(), path.name


def test_what_is_not_estimable_is_said_in_the_figures(analysed: tuple[Tables, pd.DataFrame]) -> None:
    tables, _ = analysed
    scores = tables.scores[~tables.scores["recipe"].isin(ORDERS)]
    empty = Tables(scores, tables.languages)
    tests, _ = analyse(empty, SETTINGS)
    figures = draw(empty, tests, SETTINGS)
    assert "no sequence was scored with every seed" in texts(figures["sequences"])
    assert texts(figures["positions"]).count("not\nestimable") == 9
    one = Tables(tables.scores[tables.scores["seed"] == 0], tables.languages)
    tests, _ = analyse(one, SETTINGS)
    assert any("no test of order" in text for text in texts(draw(one, tests, SETTINGS)["sequences"]))
