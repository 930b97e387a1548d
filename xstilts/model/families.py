"""Families of models, as config.json names them: what is known of one without loading it."""

import json
from pathlib import Path

from xstilts.errors import ConfigError

TEXT_TO_TEXT = {"mt5"}
"""Those whose decoder answers."""


def family_of(folder: Path) -> str:
    """The family of a model in a folder; empty where that cannot be read, which its import will say."""
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return ""
    return str(config.get("model_type", "")) if isinstance(config, dict) else ""


def check_masked_lm(family: str, where: str) -> None:
    """Refuse masked LM where nothing is masked.

    Args:
        family: The model's.
        where: The recipe, or where it comes from.

    Raises:
        ConfigError: if it is a text-to-text model.
    """
    if family in TEXT_TO_TEXT:
        raise ConfigError(
            f"a text-to-text model ({family}) has no masked LM to go on with",
            where=where,
            hint="leave recipes with cmlm to other models: evaluations and studies may name their `models`",
        )
