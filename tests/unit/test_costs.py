"""What a run cost: every job counted once, in its step."""

from pathlib import Path

import pandas as pd
import pytest

from xstilts.errors import DataError
from xstilts.report.costs import COLUMNS, collected


def benchmark(path: Path, *seconds: float) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pd.DataFrame({"s": seconds, "max_rss": "-"}).to_csv(path, sep="\t", index=False)


def test_jobs_are_added_up_by_step(tmp_path: Path) -> None:
    benchmark(tmp_path / "checkpoints/m/mnli/seed1.tsv", 10)
    benchmark(tmp_path / "checkpoints/m/mlm.tsv", 50.5)
    benchmark(tmp_path / "predictions/m/mlm/seed0/tatoeba.tsv", 3)
    benchmark(tmp_path / "predictions/m/mnli/seed1/xnli.tsv", 9, 4)  # repeated: the last one counts
    benchmark(tmp_path / "prepare_text.tsv", 1)
    table = collected(tmp_path)
    assert list(table.columns) == COLUMNS
    assert list(table.itertuples(index=False, name=None)) == [
        ("checkpoints", 2, 60.5, 50.5),
        ("predictions: xnli", 1, 4.0, 4.0),
        ("predictions: tatoeba", 1, 3.0, 3.0),
        ("prepare_text", 1, 1.0, 1.0),
        ("all", 5, 68.5, 50.5),
    ]


def test_a_run_without_benchmarks_cost_nothing(tmp_path: Path) -> None:
    assert collected(tmp_path)["seconds"].tolist() == [0.0]


def test_a_broken_benchmark_is_named(tmp_path: Path) -> None:
    (tmp_path / "prepare_text.tsv").write_text("")
    with pytest.raises(DataError, match="not a table") as error:
        collected(tmp_path)
    assert "prepare_text" in error.value.where
