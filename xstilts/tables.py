"""Tables on disk: tab-separated, sorted by the caller, floats with six digits, missing values empty."""

import os
from pathlib import Path

import pandas as pd

from xstilts.errors import DataError


def write_table(frame: pd.DataFrame, path: Path) -> None:
    """Write `frame` without its index, all at once or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".partial")
    frame.to_csv(partial, sep="\t", index=False, float_format="%.6f", lineterminator="\n", encoding="utf-8")
    os.replace(partial, path)


def read_table(path: Path) -> pd.DataFrame:
    """Read what `write_table` wrote; only an empty field is missing (`no`, `nan` and `NA` are codes).

    Raises:
        DataError: if the file is missing or not such a table.
    """
    try:
        return pd.read_csv(path, sep="\t", keep_default_na=False, na_values=[""], encoding="utf-8")
    except FileNotFoundError as error:
        raise DataError("a table is missing", where=str(path), hint="build it with snakemake") from error
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
        raise DataError(f"not a table: {error}", where=str(path), hint="delete it and rebuild it") from error
