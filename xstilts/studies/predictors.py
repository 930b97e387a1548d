"""What is known of each language: family, script, pre-training size, fertility, distances from English."""

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd

from xstilts.errors import StudyError
from xstilts.studies.scores import require_columns
from xstilts.studies.words import in_words

LATIN = "Latn"
LANGUAGE_COLUMNS = ("language", "family", "script", "cc100_gib")


def predictors(
    languages: pd.DataFrame, fertility: pd.DataFrame | None = None, corpus: pd.DataFrame | None = None
) -> pd.DataFrame:
    """What is known of each language, one row per language.

    Args:
        languages: languages.tsv.
        fertility: fertility.tsv; without it the column is missing throughout.
        corpus: corpus.tsv of models that the run pre-trained; without it size is that of CC-100.

    Returns:
        Columns language, family, script, size (log10 of bytes or of GiB; missing: unseen), unseen (0 or
        1), fertility, other_script (1: not Latin) and every distance_* and alternative_* column. A
        distance without coverage is missing.

    Raises:
        StudyError: if a table lacks a column or names a language twice.
    """
    require_columns(languages, LANGUAGE_COLUMNS, "languages.tsv")
    if languages["language"].duplicated().any():
        raise StudyError("a language is given twice", where="languages.tsv")
    frame = languages.set_index("language")
    amount = (frame["cc100_gib"] if corpus is None else _column(corpus, "bytes", "corpus.tsv")).astype(float)
    size = amount.where(amount > 0).map(math.log10, na_action="ignore").reindex(frame.index)
    result = pd.DataFrame({"family": frame["family"], "script": frame["script"], "size": size})
    result["unseen"] = size.isna().astype(float)
    absent = pd.Series(np.nan, index=frame.index)
    result["fertility"] = absent if fertility is None else _column(fertility, "fertility", "fertility.tsv")
    result["other_script"] = (frame["script"] != LATIN).astype(float)
    for column in frame.columns:
        kind, _, name = column.partition("_")
        if kind in {"distance", "alternative"} and name:
            values = frame[column].astype(float)
            coverage = frame.get(f"coverage_{name}") if kind == "distance" else None
            result[column] = values if coverage is None else values.where(coverage > 0)
    return result.reset_index()


def _column(frame: pd.DataFrame, column: str, table: str) -> pd.Series:
    require_columns(frame, ["language", column], table)
    return frame.set_index("language")[column].astype(float)


def join(means: pd.DataFrame, known: pd.DataFrame) -> pd.DataFrame:
    """The scores of each language with what is known of it.

    Raises:
        StudyError: naming the languages of which nothing is known.
    """
    strangers = sorted(set(means["language"]) - set(known["language"]))
    if strangers:
        raise StudyError(
            f"languages.tsv lacks {', '.join(strangers)}",
            where="languages.tsv",
            hint="add the language to xstilts/registry/languages.yaml",
        )
    return means.merge(known, on="language", how="left", validate="one_to_one")


def left_out(frame: pd.DataFrame, columns: Sequence[str]) -> str:
    """Which languages lack one of `columns`, in words; empty if none."""
    parts = []
    for column in columns:
        names = frame.loc[frame[column].isna(), "language"].tolist()
        if names:
            what = "unseen in pre-training" if column == "size" else f"no {in_words(column)}"
            parts.append(f"{what}: {', '.join(names)} ({len(names)})")
    return "left out: " + "; ".join(parts) if parts else ""
