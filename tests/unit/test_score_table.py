"""The tables of scores and outcomes."""

from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest

from xstilts.data.examples import PairExample
from xstilts.errors import DataError, RegistryError
from xstilts.scoring import Measure, mean_measure
from xstilts.scoring.table import (
    COLUMNS,
    RunKey,
    chosen,
    collect,
    outcome_rows,
    score_rows,
    score_table,
    write_outcomes,
)
from xstilts.tables import read_table, write_table

RUN = RunKey(run="micro", model="tiny", parameters=1000, recipe="mlm", seed=0)


def rows(language: str, value: float = 0.5, seed: int = 0) -> pd.DataFrame:
    key = RUN.model_copy(update={"seed": seed})
    return score_table(score_rows(key, "xnli", "dev", language, {"accuracy": Measure(value, 4)}))


def test_columns_are_those_of_the_design() -> None:
    names = "run model parameters recipe intermediate target seed task split language setting metric n value"
    assert names.split() == COLUMNS == list(rows("de").columns)


def test_tables_are_collected_in_one_order(tmp_path: Path) -> None:
    tables = [rows("no"), rows("de", seed=1), rows("de"), rows("nan")]
    paths = [tmp_path / f"{number}.tsv" for number in range(4)]
    for table, path in zip(tables, paths, strict=True):
        write_table(table, path)
    one = collect([read_table(path) for path in paths])
    other = collect([read_table(path) for path in reversed(paths)])
    pd.testing.assert_frame_equal(one, other)
    expected = [(0, "de"), (0, "nan"), (0, "no"), (1, "de")]
    assert list(zip(one["seed"], one["language"], strict=True)) == expected


def test_a_repeated_key_is_named() -> None:
    with pytest.raises(DataError, match="have the key of another") as caught:
        collect([rows("de", 0.5), rows("fr"), rows("de", 0.6)])
    assert "language=de" in caught.value.where
    assert "seed=0" in caught.value.where


def test_other_columns_are_refused() -> None:
    with pytest.raises(DataError, match="its columns are language"):
        collect([rows("de"), pd.DataFrame({"language": ["de"]})])


def test_an_empty_field_is_refused() -> None:
    broken = rows("de")
    broken.loc[0, "value"] = None
    with pytest.raises(DataError, match="empty field"):
        collect([broken])


def test_outcomes_are_long_and_deterministic(tmp_path: Path) -> None:
    examples = [PairExample(f"id{i}", "de", "a", "b", "neutral") for i in range(3)]
    measures = {"accuracy": mean_measure([1.0, 0.0, 1.0]), "f1": Measure(0.25, 3)}
    for name in ("one", "two"):
        write_outcomes(outcome_rows(RUN, "xnli", "dev", "de", examples, measures), tmp_path / name)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
    table = pq.read_table(tmp_path / "one").to_pandas()
    assert list(table["id"]) == ["id0", "id1", "id2"]
    assert list(table["value"]) == [1.0, 0.0, 1.0]
    assert set(table["metric"]) == {"accuracy"}
    file = pq.ParquetFile(tmp_path / "one").metadata.row_group(0).column(0)
    assert file.compression == "ZSTD"


def test_only_the_metrics_of_the_entry_are_kept() -> None:
    measures = {"f1": Measure(0.5, 2), "exact_match": Measure(0.25, 2)}
    assert list(chosen(measures, ["f1"], "tydiqa")) == ["f1"]
    with pytest.raises(RegistryError, match="'mrr' does not exist for the task 'tydiqa'"):
        chosen(measures, ["f1", "mrr"], "tydiqa")
