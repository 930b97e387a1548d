"""Fixtures of the tests of models, training and prediction."""

from pathlib import Path

import pytest
import torch
from tiny_models import train_tokenizer

from xstilts.model.pieces import Pieces

torch.set_num_threads(1)  # models this small only wait for each other


@pytest.fixture(scope="session")
def tokens(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a tokenizer of many scripts."""
    return train_tokenizer(tmp_path_factory.mktemp("tokenizer"))


@pytest.fixture(scope="session")
def pieces(tokens: Path) -> Pieces:
    """The same, read."""
    return Pieces(tokens)
