"""Checkpoints: what is saved comes back, and what is missing is never left random in silence."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from kinds_of_tokenizers import make
from safetensors.torch import load_file, save_file
from test_pieces import bert
from tiny_models import tiny
from transformers import (
    BertConfig,
    BertForMaskedLM,
    BertModel,
    PreTrainedModel,
    XLMRobertaConfig,
    XLMRobertaForMaskedLM,
    XLMRobertaXLConfig,
    XLMRobertaXLForMaskedLM,
)

from xstilts.errors import CheckpointError, ConfigError
from xstilts.model import checkpoint, importing
from xstilts.model.checkpoint import LM_HEAD, LanguageModelHead, Model
from xstilts.model.layers import layers_of
from xstilts.model.pieces import Pieces


@pytest.fixture
def saved(tmp_path: Path, tokens: Path) -> Path:
    """A checkpoint with two heads whose names share a beginning."""
    model = tiny(tokens)
    model.heads.clear()
    model.head_entries.clear()
    model.add_head("mnli", "classification", ["a", "b"])
    model.add_head("mnli_dev", "tagging", ["x", "y", "z"])
    checkpoint.save(model, tmp_path / "saved")
    return tmp_path / "saved"


def same(first: Model, second: Model) -> bool:
    pairs = [(first.encoder, second.encoder)]
    pairs += [(first.heads[name], second.heads[name]) for name in sorted(first.heads)]
    states = [(one.state_dict(), other.state_dict()) for one, other in pairs]
    return first.heads.keys() == second.heads.keys() and all(
        one.keys() == other.keys() and all(torch.equal(one[key], other[key]) for key in one)
        for one, other in states
    )


def test_a_model_of_any_size_is_one_file(
    tokens: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As if the library split what has more than 1,000 bytes, and not 50 GB."""
    original = PreTrainedModel.save_pretrained

    def splitting(model: Any, *arguments: Any, max_shard_size: int = 1000, **more: Any) -> None:
        original(model, *arguments, max_shard_size=max_shard_size, **more)

    monkeypatch.setattr(PreTrainedModel, "save_pretrained", splitting)
    checkpoint.save(tiny(tokens), tmp_path / "whole")
    assert [file.name for file in (tmp_path / "whole").glob("model*")] == ["model.safetensors"]
    tiny(tokens).encoder.save_pretrained(tmp_path / "split")
    assert len(list((tmp_path / "split").glob("model*.safetensors"))) > 1


def test_what_is_saved_comes_back(saved: Path, tmp_path: Path) -> None:
    model = checkpoint.load(saved)
    assert set(model.heads) == {"mnli", "mnli_dev"}
    assert model.head_entries["mnli_dev"] == {"type": "tagging", "labels": ["x", "y", "z"]}
    checkpoint.save(model, tmp_path / "again")
    for file in sorted(saved.iterdir()):
        assert (tmp_path / "again" / file.name).read_bytes() == file.read_bytes()
    assert same(model, checkpoint.load(tmp_path / "again"))
    assert not checkpoint.load(saved, with_heads=False).heads


def test_nothing_of_the_place_is_in_the_files(saved: Path) -> None:
    for file in saved.iterdir():
        assert str(saved).encode() not in file.read_bytes()


def test_the_seed_decides_the_weights(tokens: Path) -> None:
    assert same(tiny(tokens, seed=3), tiny(tokens, seed=3))
    assert not same(tiny(tokens, seed=3), tiny(tokens, seed=4))


def test_randomising_keeps_the_shape_only(saved: Path) -> None:
    made, old = checkpoint.randomise(saved, 5), checkpoint.load(saved)
    assert made.encoder.num_parameters() == old.encoder.num_parameters()
    assert same(made, checkpoint.randomise(saved, 5))
    weights = (model.encoder.get_input_embeddings().weight for model in (made, old))
    assert not torch.equal(*weights)
    assert list(made.heads) == [LM_HEAD]


@pytest.mark.parametrize("name", ["embeddings.word_embeddings.weight", "encoder.layer.1.output.dense.bias"])
def test_a_missing_encoder_weight_is_an_error(saved: Path, name: str) -> None:
    tensors = load_file(saved / "model.safetensors")
    del tensors[name]
    save_file(tensors, saved / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(CheckpointError, match=f"1 encoder weights are not there.*{name}"):
        checkpoint.load(saved)


def test_a_wrong_prefix_is_an_error(saved: Path) -> None:
    tensors = {f"student.{key}": value for key, value in load_file(saved / "model.safetensors").items()}
    save_file(tensors, saved / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(CheckpointError, match="encoder weights are not there"):
        checkpoint.load(saved)


def test_a_weight_of_another_shape_is_an_error(saved: Path) -> None:
    tensors = load_file(saved / "model.safetensors")
    tensors["encoder.layer.0.output.dense.bias"] = torch.zeros(7)
    save_file(tensors, saved / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(CheckpointError):
        checkpoint.load(saved)


@pytest.mark.parametrize(
    "name", ["config.json", "model.safetensors", "heads.json", "heads.safetensors", "tokenizer.json"]
)
@pytest.mark.parametrize("fault", ["missing", "truncated"])
def test_a_broken_file_is_an_error(saved: Path, name: str, fault: str) -> None:
    file = saved / name
    if fault == "missing":
        file.unlink()
    else:
        file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    with pytest.raises(CheckpointError) as caught:
        checkpoint.load(saved)
    assert str(saved) in caught.value.where
    assert caught.value.hint


def test_a_head_that_lacks_a_weight_is_an_error(saved: Path) -> None:
    tensors = load_file(saved / "heads.safetensors")
    del tensors["mnli.out.bias"]
    save_file(tensors, saved / "heads.safetensors")
    with pytest.raises(CheckpointError):
        checkpoint.load(saved)


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="no such checkpoint"):
        checkpoint.load(tmp_path / "nothing")
    with pytest.raises(CheckpointError, match="not there"):
        importing.from_folder(tmp_path / "nothing")


def test_a_tokenizer_of_another_model_is_an_error(tokens: Path) -> None:
    encoder = BertModel(BertConfig(vocab_size=10, hidden_size=8, num_hidden_layers=1, num_attention_heads=1))
    with pytest.raises(CheckpointError, match="embeds 10"):
        Model(encoder, Pieces(tokens))


def test_inputs_longer_than_the_model_are_an_error(tokens: Path) -> None:
    model = tiny(tokens)
    model.check_length(64)
    with pytest.raises(ConfigError, match="65 pieces do not fit a model of 64"):
        model.check_length(65)


@pytest.fixture
def published(tmp_path: Path, tokens: Path) -> tuple[Path, XLMRobertaForMaskedLM]:
    """A masked LM as transformers itself saves it."""
    pieces = Pieces(tokens)
    torch.manual_seed(0)
    config = XLMRobertaConfig(
        vocab_size=len(pieces),
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=40,
        type_vocab_size=1,
        pad_token_id=pieces.pad,
    )
    model = XLMRobertaForMaskedLM(config).eval()
    torch.nn.init.normal_(model.lm_head.bias)
    torch.nn.init.normal_(model.lm_head.layer_norm.weight)
    model.save_pretrained(tmp_path / "published")
    pieces.tokenizer.save(str(tmp_path / "published/tokenizer.json"))
    return tmp_path / "published", model


def lm_logits(model: Model, ids: torch.Tensor) -> torch.Tensor:
    model.train(False)
    head = model.heads[LM_HEAD]
    assert isinstance(head, LanguageModelHead)
    with torch.inference_mode():
        hidden = model.encoder(input_ids=ids, attention_mask=torch.ones_like(ids)).last_hidden_state
        found: torch.Tensor = head(hidden, model.encoder.get_input_embeddings().weight)
    return found


def test_an_imported_masked_lm_gives_the_logits_of_transformers(
    published: tuple[Path, XLMRobertaForMaskedLM], tmp_path: Path
) -> None:
    folder, theirs = published
    ours = importing.from_folder(folder)
    checkpoint.save(ours, tmp_path / "imported")
    ids = torch.tensor([[0, 9, 8, 7, 2], [0, 30, 31, 32, 2]])
    with torch.inference_mode():
        expected = theirs(input_ids=ids, attention_mask=torch.ones_like(ids)).logits
    for model in (ours, checkpoint.load(tmp_path / "imported")):
        torch.testing.assert_close(lm_logits(model, ids), expected)


FAMILIES: dict[str, tuple[type, type, str]] = {
    "XLM-R": (XLMRobertaConfig, XLMRobertaForMaskedLM, "unigram"),
    "XLM-R XL": (XLMRobertaXLConfig, XLMRobertaXLForMaskedLM, "unigram"),
    "mBERT": (BertConfig, BertForMaskedLM, "wordpiece"),
}


def publish(family: str, folder: Path) -> PreTrainedModel:
    """A tiny masked LM of a family with its kind of tokenizer, as transformers itself saves it."""
    kind, model_class, tokenizer = FAMILIES[family]
    pieces = Pieces(make(tokenizer, folder))
    sizes = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32}
    torch.manual_seed(0)
    config = kind(vocab_size=len(pieces), max_position_embeddings=40, pad_token_id=pieces.pad, **sizes)
    model: PreTrainedModel = model_class(config).eval()
    for name, parameter in model.named_parameters():
        if "lm_head" in name or "cls.predictions" in name:
            torch.nn.init.normal_(parameter, std=0.3)
    model.save_pretrained(folder)
    return model


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_is_imported_whole(family: str, tmp_path: Path) -> None:
    theirs: Any = publish(family, tmp_path / "published")
    ours = importing.from_folder(tmp_path / "published")
    checkpoint.save(ours, tmp_path / "imported")
    assert (ours.layers, ours.width, layers_of(tmp_path / "imported")) == (2, 16, 2)
    assert ours.max_length == (40 if family == "mBERT" else 38)
    ids = torch.tensor([[9, 8, 7, 12], [30, 31, 32, 12]])
    with torch.inference_mode():
        expected = theirs(input_ids=ids, attention_mask=torch.ones_like(ids)).logits
    for model in (ours, checkpoint.load(tmp_path / "imported")):
        torch.testing.assert_close(lm_logits(model, ids), expected)


def test_the_names_of_berts_first_checkpoints(tmp_path: Path) -> None:
    publish("mBERT", tmp_path)
    expected = importing.from_folder(tmp_path)
    tensors = load_file(tmp_path / "model.safetensors")
    old = {
        name.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta"): value
        for name, value in tensors.items()
    }
    assert old.keys() != tensors.keys()
    save_file(old, tmp_path / "model.safetensors", metadata={"format": "pt"})
    assert same(importing.from_folder(tmp_path), expected)


def test_a_masked_lm_without_its_head_gets_a_fresh_one(
    published: tuple[Path, XLMRobertaForMaskedLM],
) -> None:
    folder, _ = published
    tensors = load_file(folder / "model.safetensors")
    kept = {key: value for key, value in tensors.items() if not key.startswith("lm_head")}
    assert len(kept) < len(tensors)
    save_file(kept, folder / "model.safetensors", metadata={"format": "pt"})
    assert same(importing.from_folder(folder), importing.from_folder(folder))


def test_half_a_head_is_an_error(published: tuple[Path, XLMRobertaForMaskedLM]) -> None:
    folder, _ = published
    tensors = load_file(folder / "model.safetensors")
    del tensors["lm_head.dense.weight"]
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(CheckpointError, match=r"lacks dense\.weight"):
        importing.from_folder(folder)


def test_pickled_weights_are_refused(published: tuple[Path, XLMRobertaForMaskedLM]) -> None:
    folder, model = published
    (folder / "model.safetensors").unlink()
    torch.save(model.state_dict(), folder / "pytorch_model.bin")
    with pytest.raises(CheckpointError):
        importing.from_folder(folder)


def test_an_encoder_of_berts_family(tmp_path: Path) -> None:
    bert(tmp_path)
    torch.manual_seed(0)
    encoder = BertModel(
        BertConfig(
            vocab_size=8, hidden_size=8, num_hidden_layers=1, num_attention_heads=1, intermediate_size=8
        )
    )
    encoder.save_pretrained(tmp_path)
    model = importing.from_folder(tmp_path)
    assert model.max_length == 512
    made = checkpoint.randomise(tmp_path, 1)
    assert made.encoder.num_parameters() == model.encoder.num_parameters() < encoder.num_parameters()


def test_heads_are_written_in_order(saved: Path) -> None:
    assert list(json.loads((saved / "heads.json").read_text(encoding="utf-8"))) == ["mnli", "mnli_dev"]
