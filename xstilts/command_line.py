"""What all scripts share: named options by typer, and errors without a traceback."""

import errno
import gc
import sys
from collections.abc import Callable
from typing import TypeVar

import typer
from pydantic import BaseModel, ValidationError

from xstilts.errors import ConfigError, XstiltsError

Model = TypeVar("Model", bound=BaseModel)


def run(main: Callable[..., None]) -> None:
    """Run `main` as a command-line program; its keyword parameters are the options.

    Exits with status 1 and the error's own message if an XstiltsError is raised, or if the disk is full.
    """
    gc.set_threshold(100_000)  # importing torch and transformers makes many objects, hardly any garbage
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    app.command()(main)
    try:
        app()
    except XstiltsError as error:
        sys.exit(str(error))
    except OSError as error:
        hint = "\n  Hint: free some room and run again" if error.errno == errno.ENOSPC else ""
        where = f"\n  Where: {error.filename}" if error.filename else ""
        sys.exit(f"{type(error).__name__}: {error.strerror or error}{where}{hint}")


def from_json(kind: type[Model], text: str, option: str) -> Model:
    """The structured value of a command-line option.

    Raises:
        ConfigError: if it is not JSON, or not of that kind.
    """
    try:
        return kind.model_validate_json(text)
    except ValidationError as error:
        fault = error.errors()[0]
        key = ".".join(map(str, fault["loc"]))
        message = fault["msg"].removeprefix("Value error, ")
        raise ConfigError(f"{key}: {message}" if key else message, where=option) from error
