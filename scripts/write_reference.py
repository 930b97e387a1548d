"""Write the pages that are generated from the code; `make docs` runs it, no rule does."""

from pathlib import Path
from typing import Annotated

from typer import Option

from xstilts import reference
from xstilts.command_line import run

ROOT = Path(__file__).resolve().parent.parent


def main(
    schema: Annotated[Path, Option(help="JSON schema to write")] = ROOT / "config" / "schema.json",
    page: Annotated[Path, Option(help="reference page to write")] = ROOT / "docs" / "configuration.md",
) -> None:
    """Write the schema and the reference page of the configuration."""
    schema.write_text(reference.schema(), encoding="utf-8", newline="\n")
    text = reference.page(ROOT / "Snakefile", ROOT / "rules" / "collect.smk")
    page.write_text(text, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    run(main)
