"""A tokenizer of many scripts and encoders so small that a test can train one in a second."""

import json
from pathlib import Path
from typing import Any

import torch
from transformers import MT5Config, MT5ForConditionalGeneration

from xstilts.job_settings import Architecture
from xstilts.model.checkpoint import Model, initialise
from xstilts.model.pieces import Pieces
from xstilts.training import tokenizer

LINES = [
    "The river flows north to the sea, past the old town of three bridges.",
    "In 1984 the museum bought twelve paintings; in 2001 it sold five.",
    "Why is the sky blue? Because light is scattered.",
    "昨天我在北京买了三本书,今天去上海。",
    "東京は日本の首都です。人口は約1400万人です。",
    "กรุงเทพมหานครเป็นเมืองหลวงของประเทศไทย น้ำท่วมทุกปี",
    "القاهرة عاصمة مصر، ويبلغ عدد سكانها تسعة ملايين.",
    "दिल्ली भारत की राजधानी है। यहाँ बहुत लोग रहते हैं।",
    "Москва — столица России, а Киев — столица Украины.",
    "서울은 대한민국의 수도이다.",
    "Să mergem la școală. Žluťoučký kůň. Ça va, élève?",
]
ARCHITECTURE = Architecture(layers=2, hidden=32, heads=4, feed_forward=64, positions=64, dropout=0.1)


def train_tokenizer(folder: Path, vocabulary: int = 400) -> Path:
    """A folder with a small tokenizer of the lines above."""
    tokenizer.train(LINES * 3, vocabulary, 1.0, folder)
    return folder


def tiny(tokens: Path, seed: int = 1, **shape: float) -> Model:
    """A fresh encoder with a masked-LM head."""
    return initialise(ARCHITECTURE.model_copy(update=shape), tokens, seed)


def publish_mt5(folder: Path, seed: int = 1, **shape: Any) -> MT5ForConditionalGeneration:
    """A random mT5 beside the tokenizer of a folder, in the hub's format.

    As the published ones, its decoder has an output matrix of its own, and its configuration says so.
    """
    torch.manual_seed(seed)
    sizes = {"d_model": 32, "d_kv": 8, "d_ff": 64, "num_layers": 2, "num_heads": 4, "dropout_rate": 0.1}
    config = MT5Config(vocab_size=len(Pieces(folder)) + 5, **{**sizes, **shape})
    model = MT5ForConditionalGeneration(config).eval()
    own = torch.randn_like(model.lm_head.weight) / config.d_model**0.5
    model.lm_head.weight = torch.nn.Parameter(own)
    model.save_pretrained(folder)
    path = folder / "config.json"
    stated = json.loads(path.read_text(encoding="utf-8")) | {"tie_word_embeddings": False}
    path.write_text(json.dumps(stated), encoding="utf-8")
    return model
