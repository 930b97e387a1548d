"""Keeping evaluation data out of training: what is compared, and with what.

Texts are compared by their letters, marks and numbers alone, after NFKC and case-folding: punctuation,
symbols and white space do not count, so that a tokenised sentence equals the plain one in every script,
and neither do the vowel points of Arabic and Hebrew, which writers put or leave out at will. Keys are
hashes of that.

What is protected: every text of an evaluation example, and the example as a whole. A text counts only if it
is long enough to be somebody's: `MINIMUM_WIDTH` columns or `FEWEST_WORDS` words, so that a one-word choice
does not remove every line that consists of that word. Sentences of retrieval tests always count.

What goes: a line of text or a side of a translation pair that is a protected text; a training example that
is a protected example; and one whose sentence or paragraph is a protected text (`sentences_of`), if that is
a sentence (`is_sentence`). Choices and answers are no sentences of an example, and neither is a question
about a paragraph: what counts is the paragraph.
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

FEWEST_WORDS = 3
"""Of a sentence of a training example."""

UNSPACED = ("CJK ", "HIRAGANA ", "KATAKANA ", "THAI ", "LAO ", "KHMER ", "MYANMAR ")
"""How Unicode calls the letters of scripts that put no spaces between words."""

TRAIN, DEV = "train", "dev"
TEXT, EXAMPLE = "text", "example"
COLUMNS = ["key", "kind", "dataset", "language"]
REPORT = ["trained_on", "split", "language", "evaluation", "removed", "of"]
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


def is_sentence(text: str) -> bool:
    """Whether a text is long enough for a training example to go for its sake.

    It has `FEWEST_WORDS` words or, where words are not spaced, `MINIMUM_WIDTH` columns: a hypothesis of one
    or two words ("Nobody sleeps.") is everybody's.
    """
    if sum(bool(normalise(word)) for word in text.split()) >= FEWEST_WORDS:
        return True
    whole = normalise(text)
    return is_long_enough(whole) and any(unicodedata.name(c, "").startswith(UNSPACED) for c in whole)


def keys_of(example: Example) -> Iterator[tuple[str, str]]:
    """(kind, key) of what must not be trained on, if the example is to be evaluated on.

    Its texts (sentences, questions, choices, the paragraph), and the example as a whole, without its label.
    """
    texts = _texts(example)
    parts = [normalise(text) for text in texts]
    always = isinstance(example, ParallelExample)
    for text in (*texts, *_surroundings(example)):
        part = normalise(text)
        if part and (always or is_long_enough(part) or is_sentence(text)):
            yield TEXT, key_of(part)
    if always or is_long_enough("".join(parts)):
        yield EXAMPLE, key_of(*parts)


def sentences_of(example: Example) -> list[str]:
    """The sentences and paragraphs of a training example that must stand in no evaluation set.

    They are the tagged sentence, premise and hypothesis, both sentences of a pair, the context of choices or
    of a question (of choices without one, as CommonsenseQA's, the question), the sentence and the article
    around a mention, and the description that answers it.
    """
    if isinstance(example, ChoiceExample):
        found = [example.context or example.question]
    elif isinstance(example, SpanExample):
        found = [example.context]
    elif isinstance(example, QueryExample):
        found = [example.context, example.answer, *_surroundings(example)]
    else:
        found = _texts(example)
    return [text for text in found if is_sentence(text)]


def evaluation_keys(source: FolderSource, folders: Mapping[str, Path] | None = None) -> pd.DataFrame:
    """Keys of every evaluation split that the source holds, whatever a run selects.

    Args:
        source: Where the data sets are.
        folders: Data sets that lie in a folder of their own.

    Returns:
        A table of key, kind (text, example), dataset and language (that of the data set's file),
        without repeats and sorted.

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
        self._datasets: dict[str, dict[str, tuple[str, ...]]] = {TEXT: {}, EXAMPLE: {}}
        for key, kind, dataset in zip(keys["key"], keys["kind"], keys["dataset"], strict=True):
            known = self._datasets[kind]
            before = known.get(key, ())
            if dataset not in before:
                known[key] = _interned(tuple(sorted((*before, dataset))))

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
        return self._datasets[TEXT].get(key_of(normalise(text)), ())

    def of_example(self, example: Example, but: Collection[str] = ()) -> tuple[str, ...]:
        """The data sets, `but` for some, that hold the whole example, or a sentence or paragraph of it."""
        whole = key_of(*map(normalise, _texts(example)))
        found = [self._datasets[EXAMPLE].get(whole, ()), *map(self.of_text, sentences_of(example))]
        return tuple(sorted({dataset for datasets in found for dataset in datasets} - set(but)))

    def of_pair(self, example: ParallelExample) -> tuple[str, ...]:
        """The data sets that hold either side of a translation pair."""
        return tuple(sorted({*self.of_text(example.text), *self.of_text(example.english)}))


def leakage_rows(
    trained_on: str, language: str, found: Sequence[Sequence[str]], split: str = TRAIN
) -> list[dict[str, Any]]:
    """Rows of the leakage report.

    Args:
        trained_on: The task, `text` or `pairs`.
        language: Its language.
        found: For each line or example before filtering, the evaluation data sets that hold it.
        split: `train`, or `dev` for what is only selected on.

    Returns:
        One row per evaluation data set that anything was removed for, and first one for `any`.
    """
    removed = Counter(dataset for datasets in found for dataset in datasets)
    counts = [(ANY, sum(map(bool, found))), *sorted(removed.items())]
    of = {"trained_on": trained_on, "split": split, "language": language}
    return [{**of, "evaluation": name, "removed": n, "of": len(found)} for name, n in counts]


def leakage_table(rows: Iterable[dict[str, Any]]) -> pd.DataFrame:
    """The report of leakage from rows of `leakage_rows`."""
    return pd.DataFrame(rows, columns=REPORT)


def _texts(example: Example) -> list[str]:
    """The texts that make up an example."""
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


def _surroundings(example: Example) -> list[str]:
    """What a query was taken from: each text as a whole, and line by line."""
    if not isinstance(example, QueryExample):
        return []
    return [part for text in example.origin for part in dict.fromkeys((text, *text.splitlines()))]


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
