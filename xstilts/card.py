"""card.json beside each checkpoint: all that decided its weights, and what it cost to make them."""

import hashlib
import json
import platform
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

from xstilts.errors import CheckpointError

FILE = "card.json"
WEIGHT_FILES = ("config.json", "heads.json", "heads.safetensors", "model.safetensors", "tokenizer.json")
LIBRARIES = ("torch", "transformers", "tokenizers", "numpy")


def weights_hash(folder: Path) -> str:
    """SHA-256 over the files of a checkpoint that decide its predictions."""
    whole = hashlib.sha256()
    for name in WEIGHT_FILES:
        with (folder / name).open("rb") as stream:
            whole.update(hashlib.file_digest(stream, "sha256").digest())
    return whole.hexdigest()


def write(folder: Path, begun: float, **facts: Any) -> None:
    """Write the card of a finished checkpoint.

    Args:
        folder: The checkpoint.
        begun: time.monotonic() when the job began.
        facts: What decided the weights, ready for JSON.
    """
    card = {
        **facts,
        "weights": weights_hash(folder),
        "versions": {"python": platform.python_version(), **{name: version(name) for name in LIBRARIES}},
        "machine": platform.machine(),
        "seconds": round(time.monotonic() - begun, 1),
    }
    text = json.dumps(card, indent=1, sort_keys=True, ensure_ascii=False)
    (folder / FILE).write_text(text + "\n", encoding="utf-8")


def read(folder: Path) -> dict[str, Any]:
    """The card of a checkpoint.

    Raises:
        CheckpointError: if there is none.
    """
    try:
        card: dict[str, Any] = json.loads((folder / FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CheckpointError(
            f"the checkpoint has no readable {FILE}",
            where=str(folder),
            hint="delete the folder so that it is made again",
        ) from error
    return card
