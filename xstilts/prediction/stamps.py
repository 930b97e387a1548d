"""Beside each prediction file stands a stamp: all that decided it. Where it still holds, the file is kept.

So a language that is added is the only one computed, and a changed setting leaves no stale file behind.
"""

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from xstilts import card
from xstilts.errors import PredictionError

SUFFIX = ".stamp.json"


def stamp_path(predictions: Path) -> Path:
    """Where the stamp of a prediction file stands."""
    return predictions.with_name(predictions.name + SUFFIX)


def of(
    checkpoint: Path,
    entry: BaseModel,
    settings: BaseModel,
    *,
    setting: str,
    code: str,
    threads: int,
    device: str,
) -> dict[str, Any]:
    """All that decides the predictions of a checkpoint but the examples.

    Raises:
        CheckpointError: if the checkpoint has no card.
    """
    made = card.read(checkpoint)
    return {
        "device": device,
        "weights": made["weights"],
        "parameters": made["parameters"],
        "code": code,
        "entry": entry.model_dump(),
        "settings": settings.model_dump(),
        "setting": setting,
        "threads": threads,
    }


def _text(stamp: dict[str, Any]) -> str:
    return json.dumps(stamp, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def holds(files: Sequence[Path], stamp: dict[str, Any]) -> bool:
    """Whether all files of a language, the predictions first, are there and were made with this stamp."""
    path = stamp_path(files[0])
    made = all(file.is_file() for file in (*files, path))
    return made and path.read_text(encoding="utf-8") == _text(stamp)


def keep(files: Sequence[Path]) -> None:
    """Renew the times of kept files, so that they are not older than their inputs."""
    for path in (*files, stamp_path(files[0])):
        os.utime(path)


def remove(predictions: Path) -> None:
    """Remove the stamp, before its file is replaced."""
    stamp_path(predictions).unlink(missing_ok=True)


def write(predictions: Path, stamp: dict[str, Any]) -> None:
    """Write the stamp, after the file."""
    stamp_path(predictions).write_text(_text(stamp), encoding="utf-8")


def read(predictions: Path) -> dict[str, Any]:
    """The stamp of a prediction file.

    Raises:
        PredictionError: if there is none.
    """
    try:
        stamp: dict[str, Any] = json.loads(stamp_path(predictions).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise PredictionError(
            "the predictions have no readable stamp",
            where=str(predictions),
            hint="delete the file so that it is predicted again",
        ) from error
    return stamp
