"""The tables that a study reads."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from xstilts.studies.predictors import predictors
from xstilts.studies.settings import Resolved
from xstilts.tables import read_table


@dataclass(frozen=True)
class Tables:
    """Whatever is known; all but the first two may be missing.

    Attributes:
        scores: scores.tsv, of a run or published.
        languages: languages.tsv; columns alternative_<distance> hold a second definition, if any.
        fertility: fertility.tsv of the models, a column `model` among its own.
        corpus: corpus.tsv of the models that the run pre-trained.
        extra: What one study alone reads: scores with equal pools (S1), similarity of tasks (S5).
        incidents: incidents.tsv: which runs behind the scores collapsed.
    """

    scores: pd.DataFrame
    languages: pd.DataFrame
    fertility: pd.DataFrame | None = None
    corpus: pd.DataFrame | None = None
    extra: pd.DataFrame | None = None
    incidents: pd.DataFrame | None = None

    @classmethod
    def read(
        cls,
        scores: Path,
        languages: Path,
        fertility: Sequence[Path] | None,
        corpus: Path | None,
        extra: Sequence[Path] | None,
        incidents: Path | None = None,
    ) -> "Tables":
        """The tables of these files; several of one kind are stacked.

        Raises:
            DataError: if a file is missing or no table.
        """
        stacked = [pd.concat(map(read_table, paths)) if paths else None for paths in (fertility, extra)]
        return cls(
            read_table(scores),
            read_table(languages),
            fertility=stacked[0],
            corpus=None if corpus is None else read_table(corpus),
            extra=stacked[1],
            incidents=None if incidents is None else read_table(incidents),
        )

    def known(self, model: str, settings: Resolved) -> pd.DataFrame:
        """What is known of each language, as `model` meets it: its text, its tokenizer.

        Raises:
            StudyError: if a table lacks a column or names a language twice.
        """
        fertility = self.fertility
        if fertility is not None:
            fertility = fertility[fertility["model"] == model]
        corpus = self.corpus if model in settings.pretrained else None
        return predictors(self.languages, fertility, corpus)
