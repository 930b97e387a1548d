"""The tidy export: scores, outcomes per example and tests, as Parquet and TSV with a data dictionary.

The dictionary decides the columns and types of the files, so a column without an entry cannot be exported.
Parquet and TSV hold the same rows in the same order; the same inputs give the same bytes. Outcomes are read
and written in parts, so that memory does not grow with the run.
"""

import csv
import gzip
import io
from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from typing import Literal

import pandas as pd
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from xstilts.errors import DataError
from xstilts.tables import write_table

Table = Literal["scores", "outcomes", "tests"]
Type = Literal["string", "integer", "number"]
TYPES: dict[Type, pa.DataType] = {"string": pa.string(), "integer": pa.int64(), "number": pa.float64()}
ROW_GROUP = 100_000  # rows that are held at a time
FRACTION = "from 0 to 1"
DICTIONARY = "data_dictionary.tsv"


@dataclass(frozen=True, slots=True)
class Column:
    """An entry of the data dictionary; `-`: a number without a unit, or no restriction of the values."""

    table: Table
    column: str
    type: Type
    unit: str
    meaning: str
    allowed: str


def _columns(table: Table, *entries: tuple[str, Type, str, str, str]) -> list[Column]:
    return [Column(table, *entry) for entry in entries]


_RECIPE = "`untrained`, or as the recipe grammar writes it: `mlm`, `squad1-mnli`, `csqa+mnli`"
_SETTING = "`<layer>-<pool>-...` of retrieval, mining and dual encoders; `-`: none"
COLUMNS = [
    *_columns(
        "scores",
        ("run", "string", "-", "the run, as in results/<run>/", "-"),
        ("model", "string", "-", "model, or a control beside it", "a name of `models`; `chance`, `tfidf`"),
        ("parameters", "integer", "weights", "size of the encoder", "0: a control, or not given"),
        ("recipe", "string", "-", "whole training history of the checkpoint", f"{_RECIPE}; `-`: a control"),
        ("intermediate", "string", "-", "its part before the task's own English training", "`-`: none"),
        ("target", "string", "-", "the task's own English training; gains are joined on it", "`-`: none"),
        ("seed", "integer", "-", "seed of fine-tuning", "0: nothing was fine-tuned"),
        ("task", "string", "-", "evaluation task", "a name of xstilts/registry/tasks.yaml"),
        ("split", "string", "-", "split that is scored", "`<split>-half`: mining, tuned on the other half"),
        ("language", "string", "-", "language that is scored", "a code of xstilts/registry/languages.yaml"),
        ("setting", "string", "-", "how texts are embedded and compared", f"{_SETTING}; `published`"),
        ("metric", "string", "-", "what is measured", "a metric of the task in xstilts/registry/tasks.yaml"),
        ("n", "integer", "examples", "over how many it is (tag_accuracy: words)", "1 or more; 0: not given"),
        ("value", "number", "fraction", "the score, to six digits", FRACTION),
    ),
    *_columns(
        "outcomes",
        ("run", "string", "-", "the run, as in results/<run>/", "-"),
        ("model", "string", "-", "model", "a name of `models`"),
        ("recipe", "string", "-", "whole training history of the checkpoint", _RECIPE),
        ("seed", "integer", "-", "seed of fine-tuning", "0: nothing was fine-tuned"),
        ("task", "string", "-", "evaluation task", "a name of xstilts/registry/tasks.yaml"),
        ("split", "string", "-", "split that is scored", "`<split>-half`: mining, tuned on the other half"),
        ("language", "string", "-", "language of the example", "a code of xstilts/registry/languages.yaml"),
        ("setting", "string", "-", "how texts are embedded and compared", _SETTING),
        ("id", "string", "-", "the example, stable between runs", "unique within task, split and language"),
        ("metric", "string", "-", "what is measured", "a metric that is a mean over examples"),
        ("weight", "integer", "units", "units in the example (tag_accuracy: words)", "0 or more"),
        ("value", "number", "fraction", "its outcome; the mean, weighted, is the score", FRACTION),
    ),
    *_columns(
        "tests",
        ("study", "string", "-", "the study that made the test", "a name of `studies`"),
        ("id", "string", "-", "the test", "unique within a study"),
        ("role", "string", "-", "what it is for; `primary` alone bears on the verdict",
         "primary, sensitivity, exploratory, descriptive"),
        ("model", "string", "-", "model", "`-`: several or none"),
        ("recipe", "string", "-", "recipe, or what is contrasted", "`-`: several or none"),
        ("task", "string", "-", "evaluation task", "`-`: several or none"),
        ("subset", "string", "-", "languages, or what else the rows are restricted to", "`-`: all"),
        ("statistic", "string", "-", "what is estimated", "-"),
        ("estimate", "number", "as `unit` says", "its estimate", "empty: see `note`"),
        ("low", "number", "as `unit` says", "lower end of the interval that `method` names", "empty: none"),
        ("high", "number", "as `unit` says", "upper end of it", "empty: none"),
        ("p", "number", "probability", "p-value, uncorrected", f"{FRACTION}; empty: not tested"),
        ("p_adjusted", "number", "probability", "p-value, corrected over the exploratory tests of the study",
         f"{FRACTION}; empty: not corrected"),
        ("method", "string", "-", "how it was estimated and tested", "-"),
        ("unit", "string", "-", "unit of estimate, low and high", "-"),
        ("n", "integer", "observations", "how many `method` uses", "empty: see `note`"),
        ("note", "string", "-", "what else to know; why there are no numbers", "empty: nothing"),
    ),
]  # fmt: skip


def schema(table: Table) -> pa.Schema:
    """Columns and types of a table, as the data dictionary says."""
    return pa.schema([(entry.column, TYPES[entry.type]) for entry in COLUMNS if entry.table == table])


def dictionary() -> pd.DataFrame:
    """data_dictionary.tsv."""
    return pd.DataFrame([astuple(entry) for entry in COLUMNS], columns=[one.name for one in fields(Column)])


def export(scores: Path, outcomes: Path | None, tests: Sequence[Path], output: Path) -> None:
    """Write all files of the export.

    Args:
        scores: scores.tsv of a run.
        outcomes: Folder of its outcomes, `<model>/<recipe>/seed<k>/<task>.parquet`; those are read whose
            checkpoints and tasks stand in the scores. None: the scores are published ones, which have none.
        tests: tests.tsv of every study.
        output: Folder to write to.

    Raises:
        DataError: if a file is missing or has other columns than the data dictionary.
    """
    output.mkdir(parents=True, exist_ok=True)
    whole = _read(scores, "scores")
    _write_small(whole, output / "scores")
    _write_outcomes([] if outcomes is None else _cells(whole, outcomes), output / "outcomes")
    read = [_read(path, "tests") for path in sorted(tests)]
    _write_small(pa.concat_tables([schema("tests").empty_table(), *read]), output / "tests")
    write_table(dictionary(), output / DICTIONARY)


def _read(path: Path, table: Table) -> pa.Table:
    """A table of a run, in the types of the data dictionary; an empty field is missing."""
    expected = schema(table)
    try:
        found = pa_csv.read_csv(
            path,
            parse_options=pa_csv.ParseOptions(delimiter="\t", newlines_in_values=True),
            convert_options=pa_csv.ConvertOptions(
                column_types=expected, null_values=[""], strings_can_be_null=True
            ),
        )
    except FileNotFoundError as error:
        raise DataError("a table is missing", where=str(path), hint="build it with snakemake") from error
    except pa.ArrowInvalid as error:
        raise DataError(f"not a table of {table}: {error}", where=str(path)) from error
    _check(found.schema, table, path)
    return found


def _check(found: pa.Schema, table: Table, path: Path) -> None:
    expected = schema(table)
    if not found.equals(expected):
        raise DataError(
            f"not a table of {table}: its columns are {', '.join(found.names)}",
            where=str(path),
            hint=f"the data dictionary has {', '.join(expected.names)} (xstilts/export.py)",
        )


def _cells(scores: pa.Table, outcomes: Path) -> list[Path]:
    """The outcomes of every checkpoint and task that is scored, sorted; controls have none."""
    keys = scores.select(["model", "recipe", "seed", "task"]).group_by(["model", "recipe", "seed", "task"])
    cells = sorted(tuple(row.values()) for row in keys.aggregate([]).to_pylist() if row["recipe"] != "-")
    return [
        outcomes / model / recipe / f"seed{seed}" / f"{task}.parquet" for model, recipe, seed, task in cells
    ]


def _write_small(table: pa.Table, stem: Path) -> None:
    """Write a table that fits into memory; its TSV is as that of the run, with six digits."""
    with _parquet(stem, table.schema) as writer:
        writer.write_table(table)
    _finish(stem.with_suffix(".parquet"))
    nullable = {pa.int64(): pd.Int64Dtype()}
    write_table(table.to_pandas(types_mapper=nullable.get), stem.with_suffix(".tsv"))


def _write_outcomes(paths: Sequence[Path], stem: Path) -> None:
    """Write the outcomes of many files as one; values have all their digits in both forms."""
    whole, packed = schema("outcomes"), stem.with_suffix(".tsv.gz")
    with (
        _parquet(stem, whole) as writer,
        _partial(packed).open("wb") as file,
        gzip.GzipFile(filename="", mode="wb", compresslevel=6, fileobj=file, mtime=0) as packing,
        io.TextIOWrapper(packing, encoding="utf-8", newline="") as text,
    ):
        lines = csv.writer(text, delimiter="\t", lineterminator="\n")
        lines.writerow(whole.names)
        for part in _row_groups(paths, whole):
            writer.write_table(part, row_group_size=ROW_GROUP)
            lines.writerows(zip(*(column.to_pylist() for column in part.columns), strict=True))
    _finish(stem.with_suffix(".parquet"))
    _finish(packed)


def _row_groups(paths: Sequence[Path], whole: pa.Schema) -> Iterator[pa.Table]:
    """All rows of the files, in tables of ROW_GROUP rows and a last one of what is left."""
    held: list[pa.RecordBatch] = []
    rows = 0
    for path in paths:
        for batch in _batches(path):
            while rows + batch.num_rows >= ROW_GROUP:
                room = ROW_GROUP - rows
                yield pa.Table.from_batches([*held, batch.slice(0, room)], whole)
                held, rows, batch = [], 0, batch.slice(room)
            if batch.num_rows:
                held.append(batch)
                rows += batch.num_rows
    if rows:
        yield pa.Table.from_batches(held, whole)


def _batches(path: Path) -> Iterator[pa.RecordBatch]:
    try:
        with pq.ParquetFile(path) as file:
            _check(file.schema_arrow, "outcomes", path)
            yield from file.iter_batches(batch_size=ROW_GROUP)
    except FileNotFoundError as error:
        raise DataError("outcomes are missing", where=str(path), hint="build them with snakemake") from error
    except pa.ArrowInvalid as error:
        raise DataError(
            f"not a Parquet file: {error}", where=str(path), hint="delete it and rebuild it"
        ) from error


def _parquet(stem: Path, whole: pa.Schema) -> pq.ParquetWriter:
    """A writer whose settings are fixed, so that equal rows make equal bytes."""
    path = _partial(stem.with_suffix(".parquet"))
    return pq.ParquetWriter(path, whole, version="2.6", compression="zstd", compression_level=3)


def _partial(path: Path) -> Path:
    return path.with_name(path.name + ".partial")


def _finish(path: Path) -> None:
    _partial(path).replace(path)
