"""Learning a tokenizer."""

import subprocess
import sys
from pathlib import Path

import pytest
from tiny_models import LINES, train_tokenizer

from xstilts.errors import DataError
from xstilts.model.pieces import Pieces
from xstilts.training import tokenizer

ROOT = Path(__file__).parents[2]


def test_no_text_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no text"):
        tokenizer.train([], 100, 1.0, tmp_path)


def test_the_script_makes_the_same_bytes_again(tmp_path: Path) -> None:
    (tmp_path / "corpus/text").mkdir(parents=True)
    (tmp_path / "corpus/pairs").mkdir()
    (tmp_path / "corpus/text/en.txt").write_text("\n".join(LINES * 3) + "\n", encoding="utf-8")
    (tmp_path / "corpus/pairs/de.tsv").write_text("drei Brücken\tthree bridges\n" * 3, encoding="utf-8")
    settings = '{"vocabulary": 300, "lines": 20}'
    for run, hash_seed in (("a", "1"), ("b", "2")):
        command = ["scripts/train_tokenizer.py", "--corpus", str(tmp_path / "corpus"), "--settings", settings]
        command += ["--output", str(tmp_path / run)]
        environment = {"PYTHONPATH": ".", "PYTHONHASHSEED": hash_seed}
        subprocess.run([sys.executable, *command], cwd=ROOT, env=environment, check=True)
    first, second = ((tmp_path / run / "tokenizer.json").read_bytes() for run in "ab")
    assert first == second
    assert len(Pieces(tmp_path / "a")) <= 300


def test_case_is_kept_and_width_is_not(tmp_path: Path) -> None:
    pieces = Pieces(train_tokenizer(tmp_path))
    plain, wide, lower = pieces.encode(["Why is the sky", "Ｗｈｙ is  the sky", "why is the sky"])
    assert plain.ids == wide.ids
    assert plain.ids != lower.ids
