"""The report: one self-contained page, made from the tables and figures of a run."""

from pathlib import Path

FOLDER = Path(__file__).resolve().parent
TEMPLATE = "template.html.j2"


def template_text() -> str:
    """The template, which decides the page as much as code does."""
    return (FOLDER / TEMPLATE).read_text(encoding="utf-8")
