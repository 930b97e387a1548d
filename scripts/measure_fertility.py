"""Write how many pieces a tokenizer needs in each language, relative to the aligned English text."""

from pathlib import Path
from typing import Annotated

from typer import Option

from xstilts.command_line import run
from xstilts.data.examples import ParallelExample
from xstilts.data.sources import FolderSource, open_source
from xstilts.errors import DataError
from xstilts.fertility import fertility_table, load_tokenizer
from xstilts.registry.codes import resolve
from xstilts.tables import write_table


def main(
    *,
    model: Annotated[str, Option(help="whose tokenizer it is")],
    tokenizer: Annotated[Path, Option(help="folder with tokenizer.json")],
    root: Annotated[Path, Option(help="source folder of the examples")],
    languages: Annotated[str, Option(help="languages, separated by spaces; English is left out")],
    output: Annotated[Path, Option(help="where to write fertility.tsv")],
    lock: Annotated[str, Option(help="data.lock of the source; none: unchecked")] = "none",
    dataset: Annotated[str, Option(help="a data set of sentences and their translations")] = "tatoeba",
    split: Annotated[str, Option(help="split of that data set")] = "test",
) -> None:
    """Write fertility.tsv, one row per language."""
    source = open_source(root, lock)
    chosen = [language for language in resolve(languages.split()) if language != "en"]
    examples = {language: parallel(source, dataset, split, language) for language in chosen}
    write_table(fertility_table(load_tokenizer(tokenizer), examples).assign(model=model), output)


def parallel(source: FolderSource, dataset: str, split: str, language: str) -> list[ParallelExample]:
    """The examples of one language, checked to be sentences with a translation."""
    examples = source.read(dataset, split, language)
    pairs = [example for example in examples if isinstance(example, ParallelExample)]
    if len(pairs) < len(examples):
        raise DataError(f"{dataset} holds no translations", where="--dataset", hint="choose tatoeba")
    return pairs


if __name__ == "__main__":
    run(main)
