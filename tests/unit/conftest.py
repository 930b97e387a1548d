"""Fixtures of the tests: a small micro-XTREME, and a tokenizer."""

from pathlib import Path

import pytest
import torch
from micro_files import SMALL
from tiny_models import train_tokenizer

from xstilts.micro.generate import DATASETS, generate
from xstilts.model.pieces import Pieces

torch.set_num_threads(1)  # models this small only wait for each other


@pytest.fixture(scope="session")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All data sets of micro-XTREME, in all languages, small."""
    folder = tmp_path_factory.mktemp("source")
    for dataset in DATASETS:
        generate(dataset, SMALL, folder)
    return folder


@pytest.fixture(scope="session")
def tokens(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a tokenizer of many scripts."""
    return train_tokenizer(tmp_path_factory.mktemp("tokenizer"))


@pytest.fixture(scope="session")
def pieces(tokens: Path) -> Pieces:
    """The same, read."""
    return Pieces(tokens)
