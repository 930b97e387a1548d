"""Which hidden state retrieval reads."""

import json
from pathlib import Path


def default_layer(layers: int) -> int:
    """14 of XLM-R Large's 24 layers, as in XTREME's code for Tatoeba, in proportion."""
    return max(1, round(14 / 24 * layers))


def layers_of(checkpoint: Path) -> int:
    """How many layers a checkpoint has, without loading it."""
    config = json.loads((checkpoint / "config.json").read_text(encoding="utf-8"))
    return int(config.get("num_hidden_layers") or config["num_layers"])  # the latter: an mT5's
