"""Training data as training reads them: filtered against the evaluation data, checked and divided."""

import hashlib
import shutil
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from xstilts import registry
from xstilts.data.examples import Example, PairExample, ParallelExample, QueryExample, SpanExample
from xstilts.data.labels import check_labels
from xstilts.data.leakage import (
    DEV,
    TRAIN,
    EvaluationKeys,
    key_of,
    leakage_rows,
    leakage_table,
    normalise,
)
from xstilts.data.queries import as_queries
from xstilts.data.shares import fraction
from xstilts.data.sources import FolderSource, source_of
from xstilts.errors import DataError, RegistryError
from xstilts.registry import Holdout, Split, TrainingTask

CORPUS_COLUMNS = ["language", "lines", "bytes", "pairs"]


@dataclass(frozen=True)
class Prepared:
    """Examples to train on and to select on, and the report of what was filtered out."""

    train: list[Example]
    dev: list[Example]
    leakage: pd.DataFrame


def prepare_task(
    source: FolderSource,
    name: str,
    task: TrainingTask,
    keys: EvaluationKeys,
    folders: Mapping[str, Path] | None = None,
) -> Prepared:
    """The training and selection data of a task.

    Examples that occur in evaluation data are removed, but for the data sets that the task spends: from
    what is trained on, and from a published development split, since selecting on evaluation data is
    leakage too; only one of which nothing would be left stays as it is. A held-out share is taken after
    filtering. For a dual encoder, questions about a paragraph become queries
    that one of its sentences answers.

    Args:
        source: Where the data sets are.
        name: The task's name.
        task: Its entry in the registry.
        keys: What must not be trained on.
        folders: Data sets that lie in a folder of their own.

    Raises:
        DataError: if a file is at fault, an example has no label or an unknown one, or nothing is left.
    """
    train, rows = _clean(_parts(source, task, task.train, folders or {}), name, task, keys, TRAIN)
    dev: list[Example] = []
    if isinstance(task.dev, Holdout):
        train, dev = hold_out(train, task.dev.holdout)
    elif task.dev is not None:
        parts = list(_parts(source, task, task.dev, folders or {}))
        dev, dev_rows = _clean(parts, name, task, keys, DEV)
        if dev:
            rows += dev_rows
        else:
            dev = [example for _, examples in parts for example in examples]
            print(f"{name}: all that is selected on stands in evaluation sets; it stays", file=sys.stderr)
    if task.type == "dual_encoder":
        train, dev = as_queries(train), as_queries(dev)
    for part, examples in (("train", train), ("dev", dev)):
        if not examples:
            where = ", ".join(split.dataset for split in task.train)
            raise DataError(f"no example of {name} is left for its {part} part", where=where)
        check_labels(examples, task.type, task.labels, where=f"task {name}, {part} part")
    return Prepared(train, dev, leakage_table(rows))


def _clean(
    parts: Iterable[tuple[str, list[Example]]],
    name: str,
    task: TrainingTask,
    keys: EvaluationKeys,
    split: str,
) -> tuple[list[Example], list[dict[str, Any]]]:
    """The examples that stand in no evaluation data but what the task spends, and the report's rows."""
    kept: list[Example] = []
    found: dict[str, list[tuple[str, ...]]] = {}
    for language, examples in parts:
        held = [keys.of_example(example, but=task.spends) for example in examples]
        found.setdefault(language, []).extend(held)
        kept += [example for example, datasets in zip(examples, held, strict=True) if not datasets]
    rows = [row for code in sorted(found) for row in leakage_rows(name, code, found[code], split)]
    return kept, rows


def _parts(
    source: FolderSource, task: TrainingTask, splits: Sequence[Split], folders: Mapping[str, Path]
) -> Iterator[tuple[str, list[Example]]]:
    """The examples of each split and language; where there are several, their ids say from which.

    Translations share their ids in some data sets (XQuAD, MLQA, machine-translated SQuAD).
    """
    for split in splits:
        name = split.dataset
        own = source_of(name, source, folders)
        for language in sorted(task.languages):
            examples = own.read(name, split.split, language)
            if len(splits) > 1 or len(task.languages) > 1:
                origin = f"{name}-{split.split}-{language}"
                examples = [replace(example, id=f"{origin}:{example.id}") for example in examples]
            yield language, examples


def hold_out(examples: Sequence[Example], share: float) -> tuple[list[Example], list[Example]]:
    """Divide examples into (kept, held out) by a hash.

    Questions are divided by their paragraphs, queries by theirs or else by their answers, and pairs by their
    first texts (premises), so that the parts share none; all others by their ids.
    """
    kept: list[Example] = []
    held: list[Example] = []
    for example in examples:
        (held if fraction(_unit(example)) < share else kept).append(example)
    return kept, held


def _unit(example: Example) -> str:
    """What must not be divided."""
    if isinstance(example, SpanExample):
        return key_of(normalise(example.context))
    if isinstance(example, QueryExample):
        return key_of(normalise(example.context or example.answer))
    if isinstance(example, PairExample):
        return key_of(normalise(example.first))
    return example.id


def prepare_text(
    source: FolderSource,
    languages: Sequence[str],
    keys: EvaluationKeys,
    output: Path,
    max_lines: int | None = None,
    seed: int = 0,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Write the pre-training text, and the translation pairs if the source has any.

    Args:
        source: Where `text` and perhaps `pairs` are.
        languages: Which are wanted; one without text is left out.
        keys: What must not be trained on.
        output: The folder to write, with `text/<language>.txt` and `pairs/<language>.tsv`.
        max_lines: Lines kept per language after filtering: the first so many of a seeded permutation.
        seed: Of that permutation.

    Returns:
        The table of the corpus (language, lines, bytes, pairs) and the report of leakage.

    Raises:
        DataError: if a file is at fault, or no text is left.
        RegistryError: if a language is unknown.
    """
    if unknown := sorted(set(languages) - set(registry.languages())):
        raise RegistryError(f"no language '{unknown[0]}'", hint="choose from xstilts/registry/languages.yaml")
    partial = output.with_name(output.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    corpus: list[dict[str, Any]] = []
    rows: list[dict[str, Any]] = []
    for language in sorted(set(languages) & set(source.languages("text", "train"))):
        lines, line_rows = _clean_lines(source, language, keys)
        pairs, pair_rows = _clean_pairs(source, language, keys)
        rows += line_rows + pair_rows
        if not lines:
            continue
        lines = sample(lines, max_lines, f"{seed} {language}")
        size = _write_lines(partial / "text" / f"{language}.txt", lines)
        if pairs:
            _write_lines(partial / "pairs" / f"{language}.tsv", [f"{p.text}\t{p.english}" for p in pairs])
        corpus.append({"language": language, "lines": len(lines), "bytes": size, "pairs": len(pairs)})
    if not corpus:
        hint = f"there is text of: {', '.join(source.languages('text', 'train')) or 'none'}"
        raise DataError("no text of the languages asked for is left", where=str(source.root), hint=hint)
    shutil.rmtree(output, ignore_errors=True)
    partial.replace(output)
    return pd.DataFrame(corpus, columns=CORPUS_COLUMNS), leakage_table(rows)


def sample(lines: list[str], size: int | None, seed: str) -> list[str]:
    """The first `size` lines of a seeded permutation, in their old order (None: all)."""
    if size is None or size >= len(lines):
        return lines
    order = sorted(range(len(lines)), key=lambda index: _digest(f"{seed} {index}"))
    return [lines[index] for index in sorted(order[:size])]


def _clean_lines(
    source: FolderSource, language: str, keys: EvaluationKeys
) -> tuple[list[str], list[dict[str, Any]]]:
    lines = source.lines("text", "train", language)
    found = [keys.of_text(line) for line in lines]
    kept = [line for line, datasets in zip(lines, found, strict=True) if not datasets]
    return kept, leakage_rows("text", language, found)


def _clean_pairs(
    source: FolderSource, language: str, keys: EvaluationKeys
) -> tuple[list[ParallelExample], list[dict[str, Any]]]:
    if not source.holds("pairs", "train") or language not in source.languages("pairs", "train"):
        return [], []
    examples = source.read("pairs", "train", language)
    pairs = [example for example in examples if isinstance(example, ParallelExample)]
    found = [keys.of_pair(pair) for pair in pairs]
    kept = [pair for pair, datasets in zip(pairs, found, strict=True) if not datasets]
    return kept, leakage_rows("pairs", language, found)


def _write_lines(path: Path, lines: Sequence[str]) -> int:
    path.parent.mkdir(parents=True, exist_ok=True)
    content = "".join(f"{line}\n" for line in lines).encode()
    path.write_bytes(content)
    return len(content)


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()
