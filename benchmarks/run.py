"""Run every comparison and write its table; `python -m benchmarks.run --help`."""

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import pandas as pd
import torch
from typer import Option

from benchmarks import encoding, gpu, machine, search, training
from benchmarks.page import write_page
from benchmarks.search import SearchSizes
from benchmarks.training import Work
from xstilts import registry
from xstilts.command_line import run
from xstilts.data.examples import Example, PairExample, ParallelExample, SpanExample
from xstilts.data.sources import FolderSource, open_source
from xstilts.job_settings import Architecture, PartJob
from xstilts.model.checkpoint import initialise
from xstilts.model.device import prepare
from xstilts.tables import write_table
from xstilts.training import tokenizer
from xstilts.training.stage import cap

TASKS = {"nli": ("mnli_dev", "snli_dev"), "squad": ("squad1_dev",)}
LENGTHS = {"nli": 128, "squad": 384}
BATCH, BATCH_TOKENS = 32, 2048
LARGE_TOKENS = 16384  # on a GPU: a step is not cut
ENCODED_TOKENS = 8192
THREADS = 1  # more of them wait for one another where a machine has other work
LANGUAGES = ("de", "zh", "ar", "fi", "hi", "ja", "ru", "vi")  # of many scripts; a run takes the first ones


@dataclass(frozen=True)
class Sizes:
    """How much of everything: examples to train on and to test, by task, and so on.

    The architecture of the GPU's comparison is `large`.
    """

    architecture: Architecture
    vocabulary: int
    train: dict[str, int]
    dev: int
    rounds: int
    languages: int
    batch_sizes: tuple[int, ...]
    search: SearchSizes
    large: Architecture
    large_examples: int

    def cut(self, share: float) -> "Sizes":
        """The same with a share of the examples (of whole batches) and languages."""
        train = {task: BATCH * max(1, round(share * count / BATCH)) for task, count in self.train.items()}
        return replace(self, train=train, languages=max(1, round(share * self.languages)))


FULL = Sizes(
    architecture=Architecture(layers=4, hidden=256, heads=4, feed_forward=1024, positions=384, dropout=0.1),
    vocabulary=8000,
    train={"nli": 960, "squad": 192},
    dev=200,
    rounds=3,
    languages=4,
    batch_sizes=(16, 32, 64),
    search=SearchSizes(20_000, 200_000, 768, 20),
    large=gpu.XLMR_LARGE,
    large_examples=640,
)


def main(
    data: Annotated[Path, Option(help="Mirror of the data sets")],
    output: Annotated[Path, Option(help="Folder of the tables")],
    page: Annotated[Path, Option(help="The page that is written from them")],
    share: Annotated[float, Option(help="Of the examples and languages, where time is short")] = 1.0,
) -> None:
    """Run all comparisons, and write the page."""
    measure(open_source(data), FULL.cut(share), output)
    write_page(output, page)


def measure(source: FolderSource, sizes: Sizes, output: Path) -> None:
    """Run all comparisons, and write `measured.tsv` and `machine.tsv`.

    Those of a GPU are run where there is one.

    Args:
        source: The data.
        sizes: How much of them.
        output: Folder.

    Raises:
        DataError: if a data set is not there.
    """
    write_table(machine.facts(THREADS), output / "machine.tsv")
    rows: list[dict[str, Any]] = []
    for row in _compared(source, sizes):
        rows.append(row)
        write_table(pd.DataFrame(rows), output / "measured.tsv")  # what is measured is not lost


def _compared(source: FolderSource, sizes: Sizes) -> Iterator[dict[str, Any]]:
    device = prepare("cpu", THREADS)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        examples = {task: _examples(source, task) for task in TASKS}
        groups = _sentences(source, sizes.languages)
        texts = [text for found in examples.values() for text in _texts(found)]
        written = [*texts, *(text for group in groups for text in group)]
        tokenizer.train(written, sizes.vocabulary, 0.9995, folder)
        for task, found in examples.items():
            yield from training.compare(_work(task, found, sizes, folder, device), sizes.rounds)
        model = initialise(sizes.architecture, folder, 1)
        compare = partial(encoding.compare, model, groups, sizes.batch_sizes, ENCODED_TOKENS, sizes.rounds)
        yield from compare(folder / "encoder")
        yield from search.compare(sizes.search, sizes.rounds)
        if torch.cuda.is_available():
            yield from on_gpu(sizes, texts, folder, prepare("cuda", THREADS))


def on_gpu(
    sizes: Sizes, texts: list[str], folder: Path, device: torch.device, size: int = 8192
) -> Iterator[dict[str, Any]]:
    """Rows of the comparison of large models."""
    settings = _settings("nli", sizes.large_examples).model_copy(update={"batch_tokens": LARGE_TOKENS})
    return gpu.compare(settings, texts, gpu.both(sizes.large, folder), sizes.rounds, device, size)


def _work(task: str, found: list[Example], sizes: Sizes, folder: Path, device: torch.device) -> Work:
    """Examples by a draw of their own, of which the last are tested."""
    count = sizes.train[task]
    drawn = cap(found, count + sizes.dev, 0, task)
    settings, train, dev = _settings(task, count), drawn[:count], drawn[count:]
    make = partial(initialise, sizes.architecture, folder)
    return Work(task, make, settings, 3e-4, train, dev, device)


def _settings(task: str, examples: int) -> PartJob:
    span = task == "squad"
    return PartJob(
        entry=registry.training_tasks()[TASKS[task][0]],
        examples=examples,
        epochs=1,
        batch_size=BATCH,
        batch_tokens=BATCH_TOKENS,
        max_length=LENGTHS[task],
        stride=128 if span else None,
        max_answer=30 if span else None,
    )


def _examples(source: FolderSource, task: str) -> list[Example]:
    """The training examples of the tasks, which are development sets of the mirror."""
    entries = [registry.training_tasks()[name] for name in TASKS[task]]
    splits = [split for entry in entries for split in entry.train]
    found = [example for split in splits for example in source.read(split.dataset, split.split, "en")]
    return [one for one in found if not isinstance(one, PairExample) or one.label is not None]


def _texts(examples: list[Example]) -> list[str]:
    pairs = [
        text for one in examples if isinstance(one, PairExample) for text in (one.first, one.second or "")
    ]
    spans = [one for one in examples if isinstance(one, SpanExample)]
    return [*pairs, *(one.question for one in spans), *sorted({one.context for one in spans})]


def _sentences(source: FolderSource, languages: int) -> list[list[str]]:
    """Tatoeba: the sentences of some languages, and of their English sides."""
    there = source.languages("tatoeba", "test")
    groups = []
    for code in [code for code in LANGUAGES if code in there][:languages]:
        found = [one for one in source.read("tatoeba", "test", code) if isinstance(one, ParallelExample)]
        groups += [[one.text for one in found], [one.english for one in found]]
    return groups


if __name__ == "__main__":
    run(main)
