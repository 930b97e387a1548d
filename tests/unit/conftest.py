"""Fixtures of the tests of models, training and prediction."""

from pathlib import Path

import pytest
from tiny_models import train_tokenizer

from xstilts.model.pieces import Pieces


@pytest.fixture(scope="session")
def tokens(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a tokenizer of many scripts."""
    return train_tokenizer(tmp_path_factory.mktemp("tokenizer"))


@pytest.fixture(scope="session")
def pieces(tokens: Path) -> Pieces:
    """The same, read."""
    return Pieces(tokens)
