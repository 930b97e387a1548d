"""Write the pages that are generated from the code; `make docs` runs it, no rule does."""

from pathlib import Path
from typing import Annotated

from typer import Option

from xstilts import reference
from xstilts.command_line import run
from xstilts.data.lock import load_lock
from xstilts.data.page import page as data_page

ROOT = Path(__file__).resolve().parent.parent


def main(
    schema: Annotated[Path, Option(help="JSON schema to write")] = ROOT / "config" / "schema.json",
    page: Annotated[Path, Option(help="reference page to write")] = ROOT / "docs" / "configuration.md",
    data: Annotated[Path, Option(help="page on data sets and tasks to write")] = ROOT / "docs" / "data.md",
    lock: Annotated[Path, Option(help="data.lock, with the counts found")] = ROOT / "data.lock",
) -> None:
    """Write the schema and the reference page of the configuration, and the page on data sets and tasks."""
    schema.write_text(reference.schema(), encoding="utf-8", newline="\n")
    text = reference.page(ROOT / "Snakefile", ROOT / "rules" / "collect.smk")
    page.write_text(text, encoding="utf-8", newline="\n")
    data.write_text(data_page(load_lock(lock)), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    run(main)
