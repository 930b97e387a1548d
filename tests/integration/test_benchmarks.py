"""Every comparison at a tiny size on generated data, and the page that is written from the table."""

from dataclasses import replace
from functools import partial
from pathlib import Path

import pandas as pd
import pytest
import torch

from benchmarks.page import verdicts, write_page
from benchmarks.rounds import OURS, Outcome, alternate
from benchmarks.run import FULL, Sizes, measure, on_gpu
from benchmarks.search import SearchSizes
from benchmarks.training import DYNAMIC
from xstilts.data.sources import FolderSource
from xstilts.errors import DataError
from xstilts.job_settings import Architecture
from xstilts.micro.generate import generate
from xstilts.micro.settings import MicroSettings
from xstilts.tables import read_table, write_table
from xstilts.training import tokenizer

SHAPE = Architecture(layers=2, hidden=16, heads=2, feed_forward=32, positions=384, dropout=0.1)
TINY = Sizes(
    architecture=SHAPE,
    vocabulary=300,
    train={"nli": 32, "squad": 32},
    dev=8,
    rounds=2,
    languages=1,
    batch_sizes=(8, 16),
    search=SearchSizes(30, 200, 16, 5),
    large=SHAPE,
    large_examples=32,
)


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("benchmarks")
    settings = MicroSettings(
        languages=["de"], train_examples=100, dev_examples=80, evaluation_examples=20, retrieval_phrases=20
    )
    for dataset in ("mnli", "snli", "squad1", "tatoeba"):
        generate(dataset, settings, folder / "data")
    measure(FolderSource(folder / "data", generated=True), TINY, folder)
    return folder


def test_every_side_is_measured_in_every_round(tables: Path) -> None:
    measured = read_table(tables / "measured.tsv")
    sides = measured.groupby("comparison")["side"].nunique().to_dict()
    assert sides | {"nli": 3, "squad": 3, "encoding": 3, "search": 2} == sides
    assert set(measured.groupby(["comparison", "side"])["round"].count()) == {TINY.rounds}
    assert (measured["seconds"] > 0).all()
    assert measured[measured["comparison"].isin(["nli", "squad"])]["loss"].notna().all()


def test_the_page_says_what_the_table_holds(tables: Path, tmp_path: Path) -> None:
    measured = read_table(tables / "measured.tsv")
    write_page(tables, tmp_path / "page.md")
    page = (tmp_path / "page.md").read_text(encoding="utf-8")
    for name in (*measured["comparison"], *measured["side"], *read_table(tables / "machine.tsv")["value"]):
        assert str(name) in page
    assert ("have not been run" in page) == measured["share"].isna().all()


def test_a_missed_bar_is_shown_as_missed(tables: Path, tmp_path: Path) -> None:
    measured = read_table(tables / "measured.tsv")
    measured["seconds"] = [1.0 if side == OURS else 2.0 for side in measured["side"]]
    assert {row.what: row.met for row in verdicts(measured)} | {
        f"nli: times as fast as {DYNAMIC}": True,
        "squad: times as fast as Trainer, maximal length": False,
    } == {row.what: row.met for row in verdicts(measured)}
    write_table(measured, tmp_path / "measured.tsv")
    write_table(read_table(tables / "machine.tsv"), tmp_path / "machine.tsv")
    write_page(tmp_path, tmp_path / "page.md")
    assert "| 2.00 (2.00 to 2.00) | 3 | **no** |" in (tmp_path / "page.md").read_text(encoding="utf-8")


def test_no_page_without_a_table(tmp_path: Path) -> None:
    with pytest.raises(DataError):
        write_page(tmp_path, tmp_path / "page.md")


def test_large_models_are_compared_at_both_lengths(tmp_path: Path) -> None:
    texts = ["the red river", "a blue town", "three green stones"]
    tokenizer.train(texts * 3, 60, 1.0, tmp_path)
    rows = pd.DataFrame(on_gpu(replace(TINY, rounds=1), texts, tmp_path, torch.device("cpu"), size=64))
    assert set(zip(rows["comparison"], rows["side"], strict=True)) == {
        (f"{model}, {length}", side)
        for model in ("XLM-R Large", "mT5 Large")
        for length in (128, 384)
        for side in (OURS, DYNAMIC)
    }
    assert (rows["share"] > 0).all()


def test_every_other_round_goes_backwards() -> None:
    turns: list[tuple[str, int]] = []

    def side(name: str, number: int) -> Outcome:
        turns.append((name, number))
        return Outcome(1.0, 1)

    sides = {name: partial(side, name) for name in "ab"}
    assert [row["side"] for row in alternate("some", sides, 3)] == ["a", "b", "b", "a", "a", "b"]
    assert turns == [("a", 1), ("b", 1), ("b", 2), ("a", 2), ("a", 3), ("b", 3)]


def test_the_full_sizes_are_those_that_are_asked_for() -> None:
    assert FULL.search == SearchSizes(20_000, 200_000, 768, 20)
    assert (FULL.large.layers, FULL.large.hidden) == (24, 1024)


def test_a_share_is_of_whole_batches() -> None:
    assert FULL.cut(1.0) == FULL
    assert FULL.cut(0.001).train == {"nli": 32, "squad": 32}
