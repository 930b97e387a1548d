"""Models from outside: a folder in the layout of the hub's repositories.

What is imported stands as the recipe `mlm`: a masked LM with its head, or an mT5 as it is published, whose
own pre-training was span corruption.
"""

from pathlib import Path

import torch
from safetensors import safe_open
from torch import Tensor

from xstilts.errors import CheckpointError
from xstilts.model.checkpoint import LM_HEAD, Model, load_transformer, stored_names
from xstilts.model.device import seed_of
from xstilts.model.pieces import Pieces


def from_folder(folder: Path) -> Model:
    """A model of a local folder in the hub's layout.

    Raises:
        CheckpointError: if it is missing, unreadable, or lacks weights of encoder or decoder.
    """
    if not folder.is_dir():
        raise CheckpointError(
            "the model is not there",
            where=str(folder),
            hint="check `folder` of the model in the configuration",
        )
    model = Model(load_transformer(folder), Pieces(folder))
    if not model.is_text_to_text:
        torch.manual_seed(seed_of(0, LM_HEAD))
        model.add_lm_head()
        _fill_lm_head(model, folder)
    return model


def _fill_lm_head(model: Model, folder: Path) -> None:
    """Take over the masked-LM head, of RoBERTa's or BERT's shape; without one there, it stays fresh."""
    head = model.heads[LM_HEAD]
    wanted = set(head.state_dict())
    found: dict[str, Tensor] = {}
    for name, file in stored_names(folder).items():
        if (own := _own_name(name)) in wanted:
            with safe_open(file, framework="pt") as tensors:
                found[own] = tensors.get_tensor(name)
    if found and len(found) < len(wanted):
        lacking = sorted(wanted - set(found))
        raise CheckpointError(f"the masked-LM head lacks {', '.join(lacking)}", where=str(folder))
    if found:
        head.load_state_dict(found)


def _own_name(name: str) -> str:
    """What a weight of a published masked-LM head is called in ours; empty for all others."""
    if name.startswith("lm_head."):
        return name.removeprefix("lm_head.")
    if not name.startswith("cls.predictions."):
        return ""
    own = name.removeprefix("cls.predictions.").removeprefix("transform.").replace("LayerNorm", "layer_norm")
    return own.replace(".gamma", ".weight").replace(".beta", ".bias")  # as in BERT's first checkpoints
