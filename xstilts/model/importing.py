"""Models from outside: a local folder, or a repository of the hub at a fixed commit."""

from pathlib import Path

from huggingface_hub import snapshot_download
from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError
from transformers import AutoModelForMaskedLM

from xstilts.errors import CheckpointError
from xstilts.model.checkpoint import LM_HEAD, Model, load_encoder
from xstilts.model.pieces import Pieces

NEEDED = ("config.json", "tokenizer.json", "*.safetensors", "*.safetensors.index.json")


def from_folder(folder: Path) -> Model:
    """A model of a local folder in the hub's layout.

    Raises:
        CheckpointError: if it is missing, unreadable, or lacks encoder weights.
    """
    if not folder.is_dir():
        raise CheckpointError(
            "the model is not there", where=str(folder), hint="check `folder` of the model in the configuration"
        )
    model = Model(load_encoder(folder), Pieces(folder))
    model.add_lm_head()
    _fill_lm_head(model, folder)
    return model


def from_hub(repository: str, revision: str) -> Model:
    """A model of the hub, from the local cache where it is there.

    Raises:
        CheckpointError: as `from_folder`, or if the hub cannot be reached.
    """
    try:
        folder = snapshot_download(repository, revision=revision, allow_patterns=list(NEEDED))
    except (LocalEntryNotFoundError, HfHubHTTPError, OSError) as error:
        raise CheckpointError(
            f"{repository} at {revision[:12]} is neither in the local cache nor to be had: {type(error).__name__}",
            where=repository,
            hint="download it where there is a network, or use `source: folder`",
        ) from error
    return from_folder(Path(folder))


def _fill_lm_head(model: Model, folder: Path) -> None:
    """Take over the masked-LM head of an XLM-R checkpoint; one without it keeps a fresh head."""
    whole, report = AutoModelForMaskedLM.from_pretrained(
        folder, use_safetensors=True, trust_remote_code=False, dtype="float32", output_loading_info=True
    )
    if any(key.startswith("lm_head.") for key in report["missing_keys"]) or not hasattr(whole, "lm_head"):
        return
    source = whole.lm_head.state_dict()
    head = model.heads[LM_HEAD]
    head.load_state_dict({key: source[key] for key in head.state_dict()})
