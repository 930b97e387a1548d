"""The tidy export: the same rows in both forms, the same bytes every time, and every column documented."""

import gzip
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pandas.testing import assert_frame_equal

from xstilts import export
from xstilts.errors import DataError
from xstilts.scoring.table import COLUMNS as SCORE_COLUMNS
from xstilts.scoring.table import OUTCOMES, collect, write_outcomes
from xstilts.studies.rows import COLUMNS as TEST_COLUMNS
from xstilts.studies.rows import Row, not_estimable
from xstilts.studies.rows import tests_table as table_of
from xstilts.tables import read_table, write_table

FILES = {
    "scores.parquet", "scores.tsv", "outcomes.parquet", "outcomes.tsv.gz", "tests.parquet", "tests.tsv",
    export.DICTIONARY,
}  # fmt: skip
CELLS = [("mlm", 0, "tatoeba"), ("mnli", 1, "xnli"), ("mnli", 2, "xnli"), ("squad1-mnli", 1, "xnli")]
LANGUAGES = ("de", "no", "zh")


def outcomes_of(recipe: str, seed: int, task: str) -> list[dict[str, object]]:
    place = {"run": "r", "model": "tiny", "recipe": recipe, "seed": seed, "task": task, "split": "test"}
    return [
        place
        | {"language": code, "setting": "-", "id": f"{task}-{code}-{number}", "metric": "accuracy"}
        | {"weight": 1, "value": (number + seed) / 7}
        for code in LANGUAGES
        for number in range(5)
    ]


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """A run with scores, controls, outcomes, two studies, and outcomes of a recipe that it no longer has."""
    rows = [
        {"run": "r", "model": "tiny", "parameters": 7, "recipe": recipe, "intermediate": "-", "target": "-",
         "seed": seed, "task": task, "split": "test", "language": code, "setting": "-", "metric": "accuracy",
         "n": 5, "value": 1 / 3}
        for recipe, seed, task in CELLS
        for code in LANGUAGES
    ]  # fmt: skip
    rows += [rows[0] | {"model": "chance", "parameters": 0, "recipe": "-", "n": 5}]
    write_table(collect([pd.DataFrame(rows, columns=SCORE_COLUMNS)]), tmp_path / "scores.tsv")
    for recipe, seed, task in [*CELLS, ("csqa", 1, "tatoeba")]:
        path = tmp_path / "outcomes" / "tiny" / recipe / f"seed{seed}" / f"{task}.parquet"
        write_outcomes(outcomes_of(recipe, seed, task), path)
    for study in ("order", "typology"):
        made = [
            Row(study, "a", "primary", "slope", "t", "score", estimate=0.5, low=0.1, high=0.9, p=0.01, n=36),
            Row(study, "b", "exploratory", "rho", "t", "1", note=not_estimable('of "noise"\tand\nlines')),
        ]
        write_table(table_of(made, "fdr_bh", 0.05), tmp_path / "studies" / study / "tests.tsv")
    return tmp_path


def exported(results: Path, folder: str = "export") -> Path:
    tests = [results / "studies" / study / "tests.tsv" for study in ("typology", "order")]
    export.export(results / "scores.tsv", results / "outcomes", tests, results / folder)
    return results / folder


def test_every_file_is_written_and_nothing_else(results: Path) -> None:
    assert {path.name for path in exported(results).iterdir()} == FILES


def test_the_dictionary_has_every_column_that_is_written_and_none_besides(results: Path) -> None:
    folder = exported(results)
    dictionary = read_table(folder / export.DICTIONARY)
    assert list(dictionary.columns) == ["table", "column", "type", "unit", "meaning", "allowed"]
    assert not dictionary.isna().any().any()
    assert set(dictionary["table"]) == {"scores", "outcomes", "tests"}
    for table, text in {"scores": "scores.tsv", "outcomes": "outcomes.tsv.gz", "tests": "tests.tsv"}.items():
        entries = dictionary[dictionary["table"] == table]
        written = pq.read_schema(folder / f"{table}.parquet")
        assert list(entries["column"]) == written.names == list(read_table(folder / text).columns)
        types = {"string": "string", "integer": "int64", "number": "double"}
        assert [types[name] for name in entries["type"]] == list(map(str, written.types))


def test_the_dictionary_is_in_step_with_the_tables_of_a_run() -> None:
    assert export.schema("scores").names == SCORE_COLUMNS
    assert export.schema("outcomes").equals(OUTCOMES)
    assert export.schema("tests").names == TEST_COLUMNS


def test_scores_are_those_of_the_run(results: Path) -> None:
    folder = exported(results)
    assert (folder / "scores.tsv").read_bytes() == (results / "scores.tsv").read_bytes()
    assert_frame_equal(
        pq.read_table(folder / "scores.parquet").to_pandas(),
        read_table(results / "scores.tsv"),
        check_dtype=False,
    )


def test_outcomes_are_those_of_all_scored_cells_in_order(results: Path) -> None:
    folder = exported(results)
    expected = pd.DataFrame([row for cell in CELLS for row in outcomes_of(*cell)], columns=OUTCOMES.names)
    found = pq.read_table(folder / "outcomes.parquet").to_pandas()
    assert_frame_equal(found, expected, check_dtype=False)
    assert_frame_equal(read_table(folder / "outcomes.tsv.gz"), found, check_dtype=False, check_exact=True)


def test_tests_are_those_of_all_studies(results: Path) -> None:
    folder = exported(results)
    expected = pd.concat(
        [read_table(results / "studies" / name / "tests.tsv") for name in ("order", "typology")]
    )
    found = read_table(folder / "tests.tsv")
    assert_frame_equal(found, expected.reset_index(drop=True))
    whole = pq.read_table(folder / "tests.parquet").to_pandas()
    assert_frame_equal(whole, found, check_dtype=False)
    assert whole.loc[1, "note"] == 'not estimable, because of "noise"\tand\nlines'
    assert found["n"].isna().tolist() == [False, True] * 2


def test_the_same_inputs_give_the_same_bytes(results: Path) -> None:
    first, second = exported(results, "one"), exported(results, "two")
    for name in FILES:
        assert (first / name).read_bytes() == (second / name).read_bytes(), name
    assert (first / "outcomes.tsv.gz").read_bytes()[4:8] == bytes(4), "no time in the head"


def test_row_groups_do_not_grow_with_the_run(results: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = pq.read_table(exported(results) / "outcomes.parquet")
    text = gzip.decompress((results / "export" / "outcomes.tsv.gz").read_bytes())
    monkeypatch.setattr(export, "ROW_GROUP", 7)
    folder = exported(results, "small")
    groups = pq.ParquetFile(folder / "outcomes.parquet").metadata
    assert [groups.row_group(index).num_rows for index in range(groups.num_row_groups)] == [7] * 8 + [4]
    assert pq.read_table(folder / "outcomes.parquet").equals(whole)
    assert gzip.decompress((folder / "outcomes.tsv.gz").read_bytes()) == text


def test_ids_with_tabs_and_quotes_survive(results: Path) -> None:
    names = ('a"b', "c\td", "é\nf", *"ghijklmnopqr")
    rows = [row | {"id": name} for row, name in zip(outcomes_of("mlm", 0, "tatoeba"), names, strict=True)]
    write_outcomes(rows, results / "outcomes/tiny/mlm/seed0/tatoeba.parquet")
    found = read_table(exported(results) / "outcomes.tsv.gz")
    assert list(found["id"][:15]) == list(names)


def test_a_run_without_studies_has_tables_without_rows(results: Path) -> None:
    export.export(results / "scores.tsv", results / "outcomes", [], results / "export")
    assert list(read_table(results / "export/tests.tsv").columns) == TEST_COLUMNS
    assert pq.read_table(results / "export/tests.parquet").num_rows == 0


def test_published_scores_have_a_table_of_outcomes_without_rows(results: Path) -> None:
    folder = results / "export"
    export.export(results / "scores.tsv", None, [], folder)
    assert {path.name for path in folder.iterdir()} == FILES
    assert pq.read_table(folder / "outcomes.parquet").equals(export.schema("outcomes").empty_table())
    assert read_table(folder / "outcomes.tsv.gz").empty
    assert list(read_table(folder / "outcomes.tsv.gz").columns) == OUTCOMES.names
    assert pq.read_table(folder / "scores.parquet").num_rows == len(read_table(results / "scores.tsv")) > 0


def test_outcomes_that_are_missing_are_named_and_finished_files_stay(results: Path) -> None:
    folder = exported(results)
    before = (folder / "outcomes.parquet").read_bytes()
    (results / "outcomes/tiny/mnli/seed2/xnli.parquet").unlink()
    with pytest.raises(DataError, match="outcomes are missing") as caught:
        exported(results)
    assert caught.value.where.endswith("mnli/seed2/xnli.parquet")
    assert (folder / "outcomes.parquet").read_bytes() == before


@pytest.mark.parametrize("name", ["scores.tsv", "studies/order/tests.tsv"])
def test_a_column_without_an_entry_is_refused(results: Path, name: str) -> None:
    text = (results / name).read_text(encoding="utf-8")
    changed = text.replace("\trecipe\t", "\tmore\t")
    (results / name).write_text(changed, encoding="utf-8")
    with pytest.raises(DataError, match=r"its columns are .*more"):
        exported(results)


def test_outcomes_of_other_columns_are_refused(results: Path) -> None:
    path = results / "outcomes/tiny/mlm/seed0/tatoeba.parquet"
    pq.write_table(pa.table({"id": ["a"]}), path)
    with pytest.raises(DataError, match="not a table of outcomes: its columns are id"):
        exported(results)
    path.write_bytes(b"no")
    with pytest.raises(DataError, match="not a Parquet file"):
        exported(results)


def test_a_field_of_another_type_is_refused(results: Path) -> None:
    text = (results / "scores.tsv").read_text(encoding="utf-8")
    (results / "scores.tsv").write_text(text.replace("0.333333", "high", 1), encoding="utf-8")
    with pytest.raises(DataError, match="not a table of scores"):
        exported(results)
