"""What the cards and logs of a run tell: collapsed and restarted trainings, curves, costs."""

from pathlib import Path

import pandas as pd
import pytest

from tests.unit.training_folders import ENTRY, prepared, selection, trained
from xstilts.errors import CheckpointError, DataError
from xstilts.report.incidents import COLUMNS, incidents
from xstilts.report.learning_curves import draw
from xstilts.report.trainings import COSTS, CURVES, costs, curves
from xstilts.studies.figures import save
from xstilts.tables import read_table, write_table

SETTINGS = {"parts": {"mnli": {"entry": ENTRY}}}
FAULT = "the loss is nan at step 7"


@pytest.fixture
def checkpoints(tmp_path: Path) -> list[Path]:
    """A run that collapsed at its best step, one that recovered after a restart, and one of two tasks."""
    fallen = [selection(5, 0.5, collapsed=True), selection(10, 0.25, collapsed=False)]
    risen = [selection(5, 0.5, collapsed=True), selection(10, 0.75)]
    mixed = [
        selection(5, 0.9),
        selection(5, 0.1, task="csqa"),
        selection(10, 0.4),
        selection(10, 0.8, task="csqa"),
    ]
    untrained = tmp_path / "tiny/untrained/seed0"
    untrained.mkdir(parents=True)
    (untrained / "card.json").write_text("{}", encoding="utf-8")
    return [
        trained(tmp_path, "tiny/squad1-mnli/seed2", fallen, collapsed=["mnli"], settings=SETTINGS),
        trained(tmp_path, "tiny/mnli/seed1", risen, faults=[FAULT], energy_kilojoules=3.5),
        trained(tmp_path, "tiny/csqa+mnli/seed1", mixed, collapsed=["mnli"], settings=SETTINGS),
        untrained,
    ]


def test_what_collapsed_and_what_restarted_is_listed(checkpoints: list[Path], tmp_path: Path) -> None:
    table = incidents(checkpoints, prepared(tmp_path / "data"))
    assert list(table.columns) == COLUMNS
    shown = table[["recipe", "seed", "incident", "task", "value", "baseline"]].fillna(-1)
    assert list(shown.itertuples(index=False, name=None)) == [
        ("csqa+mnli", 1, "collapsed", "mnli", 0.4, 0.5),  # step 10 has the best mean, and was kept
        ("mnli", 1, "restarted", "-", -1, -1),
        ("squad1-mnli", 2, "collapsed", "mnli", 0.5, 0.5),
    ]
    assert table["what"].tolist()[1] == FAULT


def test_examples_are_read_only_for_what_collapsed(checkpoints: list[Path], tmp_path: Path) -> None:
    assert incidents([*checkpoints[1:2], checkpoints[3]], tmp_path / "none")["incident"].tolist() == [
        "restarted"
    ]
    with pytest.raises(DataError, match="examples are missing"):
        incidents(checkpoints, tmp_path / "none")


def test_a_checkpoint_without_a_card_is_named(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="no readable card"):
        incidents([tmp_path / "tiny/mnli/seed1"], tmp_path)


def test_all_logs_are_in_one_table(checkpoints: list[Path], tmp_path: Path) -> None:
    table = curves(checkpoints)
    assert list(table.columns) == CURVES and len(table) == 8
    assert table["recipe"].tolist() == ["csqa+mnli"] * 4 + ["mnli"] * 2 + ["squad1-mnli"] * 2
    assert table["collapsed"].tolist() == [False] * 4 + [True, False] * 2
    write_table(table, tmp_path / "training.tsv")
    assert len(read_table(tmp_path / "training.tsv")) == 8
    assert curves(checkpoints[3:]).empty


def test_costs_are_those_of_what_was_trained(checkpoints: list[Path]) -> None:
    table = costs(checkpoints).set_index("recipe")
    assert list(costs(checkpoints).columns) == COSTS and "untrained" not in table.index
    assert table.loc["mnli", "energy_kilojoules"] == 3.5
    assert pd.isna(table.loc["squad1-mnli", "energy_kilojoules"])


def test_a_curve_that_ends_collapsed_is_dashed_and_crossed(checkpoints: list[Path]) -> None:
    table = curves(checkpoints)
    table["collapsed"] = table["collapsed"].where(table["recipe"] != "squad1-mnli", True)
    figure = draw(table, "title")
    panels = {title: axes for axes in figure.axes if (title := axes.get_title("left"))}
    assert set(panels) == {"csqa", "mnli"}
    lines = [line for line in panels["mnli"].lines if line.get_linestyle() != "None"]
    assert [line.is_dashed() for line in lines] == [False, False, True]
    crossed = [len(line.get_xdata()) for line in panels["mnli"].lines if line.get_marker() == "x"]
    assert crossed == [1, 2]


def test_the_figure_has_the_same_bytes_every_time(checkpoints: list[Path], tmp_path: Path) -> None:
    files = [save(draw(curves(checkpoints), "title", "note"), tmp_path / name, "a") for name in ("1", "2")]
    for first, second in zip(*files, strict=True):
        assert first.read_bytes() == second.read_bytes()
    assert save(draw(curves([]), "nothing"), tmp_path, "empty")
