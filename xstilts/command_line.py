"""What all scripts share: named options by typer, and errors without a traceback."""

import sys
from collections.abc import Callable

import typer

from xstilts.errors import XstiltsError


def run(main: Callable[..., None]) -> None:
    """Run `main` as a command-line program; its keyword parameters are the options.

    Exits with status 1 and the error's own message if an XstiltsError is raised, or if the disk is full.
    """
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    app.command()(main)
    try:
        app()
    except XstiltsError as error:
        sys.exit(str(error))
    except OSError as error:
        sys.exit(f"{type(error).__name__}: {error.strerror or error}\n  Where: {error.filename or '-'}")
