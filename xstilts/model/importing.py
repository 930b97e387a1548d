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
    """Take over the masked-LM head of a RoBERTa-shaped checkpoint; one without it keeps a fresh head."""
    head = model.heads[LM_HEAD]
    names = {f"lm_head.{key}": key for key in head.state_dict()}
    found: dict[str, Tensor] = {}
    for name, file in stored_names(folder).items():
        if name in names:
            with safe_open(file, framework="pt") as tensors:
                found[names[name]] = tensors.get_tensor(name)
    if found and len(found) < len(names):
        lacking = sorted(set(names.values()) - set(found))
        raise CheckpointError(f"the masked-LM head lacks {', '.join(lacking)}", where=str(folder))
    if found:
        head.load_state_dict(found)
