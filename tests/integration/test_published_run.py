"""Published scores: what a table of them may say, and the run that is made of one."""

import os
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.integration.workflow import Clone
from xstilts import export
from xstilts.errors import DataError
from xstilts.scoring.published import imported
from xstilts.scoring.table import COLUMNS
from xstilts.tables import read_table

ROOT = Path(__file__).parents[2]
CONFIG = "config/published-tatoeba.yaml"
SHORT = {"model": "m", "task": "tatoeba", "language": "de", "metric": "accuracy", "value": "0.5"}

FILLED = {"recipe": "mlm", "source": "a paper"}


def written(path: Path, *rows: dict[str, str], end: str = "\n") -> Path:
    """A table of `SHORT` and of rows that differ from it; `FILLED` or 0 where a row lacks a column."""
    names = list(dict.fromkeys([*SHORT, *(name for row in rows for name in row)]))
    filled = [dict.fromkeys(names, "0") | FILLED | SHORT | row for row in [{}, *rows]]
    lines = [names, *([row[name] for name in names] for row in filled)]
    path.write_bytes("".join("\t".join(line) + end for line in lines).encode())
    return path


@pytest.mark.parametrize(
    ("changes", "column", "what"),
    [
        ({"value": "abc"}, "value", "value: 'abc': Input should be a valid number"),
        ({"value": "50"}, "value", "value: '50.0': Input should be less than or equal to 1"),
        ({"value": ""}, "value", "value: the field is empty"),
        ({"seed": "1.5"}, "seed", "seed: '1.5': Input should be a valid integer"),
        ({"seed": "-1"}, "seed", "seed: '-1': Input should be greater than or equal to 0"),
        ({"n": "many"}, "n", "n: 'many': Input should be a valid integer"),
        ({"parameters": "0.5"}, "parameters", "parameters: '0.5': Input should be a valid integer"),
        ({"task": "nonsense"}, "task", "task: 'nonsense': unknown evaluation task (there are bucc2018, "),
        ({"metric": "foo"}, "metric", "metric: 'foo': tatoeba has no such metric (it has accuracy, "),
        ({"metric": "f1"}, "metric", "metric: 'f1': tatoeba has no such metric"),
        ({"language": "xx"}, "language", "language: 'xx': unknown language"),
        ({"language": "zh-Hant"}, "language", "language: 'zh-Hant': unknown language"),
        ({"recipe": "mnli--"}, "recipe", "recipe: 'mnli--': the recipe 'mnli--' does not parse"),
        ({"model": ""}, "model", "model: the field is empty"),
    ],
)
def test_a_field_that_cannot_be_is_named_with_its_line(
    tmp_path: Path, changes: dict[str, str], column: str, what: str
) -> None:
    table = read_table(written(tmp_path / "t.tsv", {"language": "fr"}, {"language": "es"} | changes))
    with pytest.raises(DataError) as caught:
        imported(table, "run", "t.tsv")
    assert caught.value.what.startswith(what)
    assert caught.value.where == f"t.tsv, line 4, column {column}"
    assert caught.value.hint


def test_a_table_must_have_its_columns_and_rows_and_each_score_once(tmp_path: Path) -> None:
    table = read_table(written(tmp_path / "t.tsv", {"language": "zh"}, {"language": "zh-Hans"}))
    with pytest.raises(DataError, match="the table lacks the column task, value"):
        imported(table.drop(columns=["task", "value"]), "run", "t.tsv")
    with pytest.raises(DataError, match="the table has no rows"):
        imported(table[:0], "run", "t.tsv")
    with pytest.raises(DataError, match="a score is given twice") as caught:
        imported(table, "run", "t.tsv")
    assert caught.value.where == "t.tsv, line 4"


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_short_table_is_filled_in_and_languages_get_their_codes(tmp_path: Path, end: str) -> None:
    names = {"zh-Hans": "zh", "iw": "he", "nob": "no", "arb": "ar"}
    rows = [{"language": name, "source": "a paper"} for name in names]
    found = imported(read_table(written(tmp_path / "t.tsv", *rows, end=end)), "run", "t.tsv")
    assert list(found.columns) == COLUMNS
    assert list(found["language"]) == sorted(["de", *names.values()])
    fixed = {"run": "run", "model": "m", "parameters": 0, "recipe": "mlm", "intermediate": "-", "target": "-"}
    fixed |= {"seed": 0, "split": "test", "setting": "published", "n": 0, "value": 0.5}
    assert dict(found.iloc[0][list(fixed)]) == fixed
    assert [str(found[name].dtype) for name in ("parameters", "seed", "n", "value")] == ["int64"] * 3 + [
        "float64"
    ]


def test_the_script_says_it_in_one_message(tmp_path: Path) -> None:
    table = written(tmp_path / "t.tsv", {"value": "abc"})
    script = [sys.executable, str(ROOT / "scripts/import_scores.py"), "--table", str(table), "--run", "r"]
    done = subprocess.run(
        [*script, "--output", str(tmp_path / "scores.tsv")],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=False,
    )
    assert done.returncode == 1
    assert "DataError: value: 'abc'" in done.stderr
    assert f"{table}, line 3, column value" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "scores.tsv").exists()


def test_a_run_of_published_scores_has_claims_and_an_export(tmp_path: Path) -> None:
    clone = Clone.make(tmp_path / "clone")
    clone.build("claims", "export", config=CONFIG)
    results = clone.results("published-tatoeba")
    claims = read_table(results / "claims.tsv")
    assert len(claims) == 20
    assert set(claims["verdict"]) == {"reproduced", "not run at this tier"}
    assert not claims["why"].str.contains(r":\s*$|  | itself|generated").any()
    shipped = read_table(ROOT / "published/xlmr_large_tatoeba.tsv")
    scores = read_table(results / "scores.tsv")
    assert list(scores[shipped.columns].itertuples()) == list(shipped.itertuples())
    folder = results / "export"
    assert pq.read_table(folder / "scores.parquet").num_rows == len(scores) == 36
    assert pq.read_table(folder / "outcomes.parquet").equals(export.schema("outcomes").empty_table())
    assert pq.read_table(folder / "tests.parquet").num_rows > 0
    assert not clone.scheduled("claims", "export", config=CONFIG).counts
