"""Keeping evaluation data out of training: what is compared, and with what.

Texts are compared by their letters, marks and numbers alone, after NFKC and case-folding: punctuation,
symbols and white space do not count, so that a tokenised sentence equals the plain one in every script,
and neither do the vowel points of Arabic and Hebrew, which writers put or leave out at will. Keys are
hashes of that. A text counts only if it is long enough to be somebody's: `MINIMUM_WIDTH` columns, so
that a one-word choice does not remove every line that consists of that word. Sentences of retrieval
tests always count.
"""

import hashlib
import sys
import unicodedata
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd

from xstilts import registry
from xstilts.data.examples import (
    ChoiceExample,
    Example,
    PairExample,
    ParallelExample,
    QueryExample,
    SpanExample,
)
from xstilts.data.sources import FolderSource, source_of
from xstilts.errors import DataError

MINIMUM_WIDTH = 12
"""Columns of a terminal: 12 letters, or 6 Chinese or Japanese characters or Korean syllables."""

SENTENCE, PARAGRAPH, EXAMPLE = "sentence", "paragraph", "example"
COLUMNS = ["key", "kind", "dataset", "language"]
ANY = "any"
"""In reports, in place of an evaluation data set: how many were removed in all."""


def normalise(text: str) -> str:
    """The letters, marks and numbers of a text, NFKC and case-folded."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    # NFKC turns a spacing accent into a space and a mark, which now follows a letter: compose them.
    return unicodedata.normalize("NFC", folded.translate(_ignored()))


def key_of(*normalised: str) -> str:
    """The key of one normalised text, or of several as a whole: 16 hexadecimal digits of their sha256."""
    return hashlib.sha256("\x1f".join(normalised).encode()).hexdigest()[:16]


def is_long_enough(normalised: str) -> bool:
    """Whether a text counts outside of retrieval."""
    return len(normalised) >= MINIMUM_WIDTH or _width(normalised) >= MINIMUM_WIDTH


def keys_of(example: Example) -> Iterator[tuple[str, str]]:
    """(kind, key) of what must not be trained on, if the example is to be evaluated on.

    Its sentences (fields of text), its paragraph, and the example as a whole, without its label.
    """
    parts = [normalise(text) for text in _texts(example)]
    always = isinstance(example, ParallelExample)
    for index, part in enumerate(parts):
        if part and (always or is_long_enough(part)):
            paragraph = isinstance(example, SpanExample | QueryExample) and index == 1
            yield PARAGRAPH if paragraph else SENTENCE, key_of(part)
    if always or is_long_enough("".join(parts)):
        yield EXAMPLE, key_of(*parts)


def evaluation_keys(source: FolderSource, folders: Mapping[str, Path] | None = None) -> pd.DataFrame:
    """Keys of every evaluation split that the source holds, whatever a run selects.

    Args:
        source: Where the data sets are.
        folders: Data sets that lie in a folder of their own.

    Returns:
        A table of key, kind (sentence, paragraph, example), dataset and language (that of the data
        set's file), without repeats and sorted.

    Raises:
        DataError: if a file is at fault.
    """
    rows = {
        (key, kind, dataset, language)
        for dataset, entry in registry.datasets().items()
        for place in [source_of(dataset, source, folders or {})]
        for split in entry.evaluation
        if place.holds(dataset, split)
        for language in place.languages(dataset, split)
        for example in place.read(dataset, split, language)
        for kind, key in keys_of(example)
    }
    return pd.DataFrame(sorted(rows), columns=COLUMNS)


def write_keys(keys: pd.DataFrame, path: Path) -> None:
    """Write a table of keys as Parquet."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".partial")
    keys.to_parquet(partial, index=False, compression="zstd")
    partial.replace(path)


class EvaluationKeys:
    """Says in which evaluation data sets a text or a training example occurs."""

    def __init__(self, keys: pd.DataFrame) -> None:
        self._datasets: dict[str, dict[str, tuple[str, ...]]] = {SENTENCE: {}, PARAGRAPH: {}, EXAMPLE: {}}
        for key, kind, dataset in zip(keys["key"], keys["kind"], keys["dataset"], strict=True):
            known = self._datasets[kind]
            before = known.get(key, ())
            if dataset not in before:
                known[key] = _interned((*before, dataset))

    @classmethod
    def load(cls, path: Path) -> "EvaluationKeys":
        """Read what `write_keys` wrote.

        Raises:
            DataError: if the file is missing or not such a table.
        """
        try:
            return cls(pd.read_parquet(path, columns=COLUMNS))
        except (OSError, ValueError) as error:
            what = "the keys of the evaluation data cannot be read"
            raise DataError(what, where=str(path), hint="delete the file and rebuild it") from error

    def of_text(self, text: str) -> tuple[str, ...]:
        """The data sets of which the text is a sentence or paragraph."""
        return self._find(key_of(normalise(text)), SENTENCE, PARAGRAPH)

    def of_example(self, example: Example, but: Collection[str] = ()) -> tuple[str, ...]:
        """The data sets, `but` for some, that hold the example as a whole or (a question) its paragraph."""
        parts = [normalise(text) for text in _texts(example)]
        found = self._find(key_of(*parts), EXAMPLE)
        if isinstance(example, SpanExample | QueryExample):
            found += self._find(key_of(parts[1]), PARAGRAPH)
        return tuple(sorted(set(found) - set(but)))

    def of_pair(self, example: ParallelExample) -> tuple[str, ...]:
        """The data sets that hold either side of a translation pair."""
        return tuple(sorted({*self.of_text(example.text), *self.of_text(example.english)}))

    def _find(self, key: str, *kinds: str) -> tuple[str, ...]:
        found = [self._datasets[kind].get(key, ()) for kind in kinds]
        return tuple(sorted({dataset for datasets in found for dataset in datasets}))


def leakage_rows(trained_on: str, language: str, found: Sequence[Sequence[str]]) -> list[dict[str, Any]]:
    """Rows of the leakage report.

    Args:
        trained_on: The task, `text` or `pairs`.
        language: Its language.
        found: For each line or example before filtering, the evaluation data sets that hold it.

    Returns:
        One row per evaluation data set that anything was removed for, and first one for `any`.
    """
    removed = Counter(dataset for datasets in found for dataset in datasets)
    counts = [(ANY, sum(map(bool, found))), *sorted(removed.items())]
    return [
        {"trained_on": trained_on, "language": language, "evaluation": name, "removed": n, "of": len(found)}
        for name, n in counts
    ]


def leakage_table(rows: Iterable[dict[str, Any]]) -> pd.DataFrame:
    """The report of leakage from rows of `leakage_rows`."""
    return pd.DataFrame(rows, columns=["trained_on", "language", "evaluation", "removed", "of"])


def _texts(example: Example) -> list[str]:
    """The texts that make up an example, the paragraph of a question second."""
    if isinstance(example, PairExample):
        return [example.first, example.second or ""]
    if isinstance(example, ChoiceExample):
        return [example.context, example.question, *sorted(example.choices)]
    if isinstance(example, SpanExample):
        return [example.question, example.context]
    if isinstance(example, QueryExample):
        return [example.query, example.context, example.answer]
    if isinstance(example, ParallelExample):
        return [example.text, example.english]
    return [" ".join(example.words)]


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)


@cache
def _interned(datasets: tuple[str, ...]) -> tuple[str, ...]:
    return datasets


@cache
def _ignored() -> dict[int, None]:
    """What does not count in comparisons, for str.translate."""
    return {code: None for code in range(sys.maxunicode + 1) if _is_ignored(chr(code))}


def _is_ignored(character: str) -> bool:
    category = unicodedata.category(character)
    if category == "Mn":
        return unicodedata.name(character, "").startswith(("ARABIC ", "HEBREW "))
    return category[0] in "PSZ" or category in ("Cc", "Cf")
