"""Pre-training: masks, the ranking loss, the corpus and repeatability."""

from pathlib import Path

import numpy as np
import pytest
import torch
from tiny_models import LINES, tiny

from xstilts.errors import DataError
from xstilts.job_settings import PretrainingJob
from xstilts.model import batches, checkpoint
from xstilts.model.checkpoint import LM_HEAD, Model
from xstilts.model.heads import IGNORED
from xstilts.model.pooling import pool
from xstilts.training import pretrain
from xstilts.training.training_log import Averages

SETTINGS = PretrainingJob(
    steps=8, learning_rate=1e-3, batch_lines=4, batch_pairs=3, max_length=32, sampling_exponent=0.5
)


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    (tmp_path / "text").mkdir()
    (tmp_path / "pairs").mkdir()
    (tmp_path / "text/en.txt").write_text("\n".join(LINES[:3] * 3) + "\n", encoding="utf-8")
    (tmp_path / "text/zh.txt").write_text(LINES[3] + "\u2028" + LINES[4] + "\n", encoding="utf-8")
    (tmp_path / "pairs/zh.tsv").write_text(
        "北京\tthe old town\n天\tsky\u0085blue\n本\tbook\n", encoding="utf-8"
    )
    return tmp_path


def test_masking_chooses_as_it_says() -> None:
    generator = np.random.default_rng(0)
    ids = generator.integers(5, 1000, (400, 500))
    maskable = generator.random(ids.shape) < 0.9
    altered, gold = pretrain.mask_pieces(ids, maskable, 0.15, 4, 1000, generator)
    chosen = gold != IGNORED
    assert np.array_equal(altered[~chosen], ids[~chosen])
    assert np.array_equal(gold[chosen], ids[chosen])
    assert not (chosen & ~maskable).any()

    def near(share: float, expected: float, n: int) -> bool:
        return bool(abs(share - expected) < 5 * np.sqrt(expected * (1 - expected) / n))

    n = int(chosen.sum())
    assert near(n / maskable.sum(), 0.15, int(maskable.sum()))
    assert near((altered == 4)[chosen].mean(), 0.8 + 0.1 / 1000, n)
    assert near((altered == ids)[chosen].mean(), 0.1 + 0.1 / 1000, n)


@pytest.mark.parametrize("maskable", [[False, False, False], [False, True, False]])
def test_something_is_always_predicted(maskable: list[bool]) -> None:
    ids = np.array([[7, 8, 9]])
    _, gold = pretrain.mask_pieces(ids, np.array([maskable]), 0.0, 4, 10, np.random.default_rng(0))
    assert (gold != IGNORED).sum() == 1


def test_the_ranking_loss_is_the_softmax_of_cosines(tokens: Path) -> None:
    model = tiny(tokens)
    model.train(False)
    sides = []
    for texts in (LINES[:4], LINES[4:8]):
        ids = [model.pieces.one(encoded.ids, 40) for encoded in model.pieces.encode(texts)]
        sides.append(batches.collate(ids, [2, 0, 3, 1], model.pieces.pad, torch.device("cpu")))
    with torch.inference_mode():
        found = float(pretrain.translation_loss(model, sides[0], sides[1], 1, 0.2))
        first, second = (pool(model.encoder, side, 1, "mean", []).double().numpy() for side in sides)
    first /= np.linalg.norm(first, axis=1, keepdims=True)
    second /= np.linalg.norm(second, axis=1, keepdims=True)
    scores = np.exp(first @ second.T / 0.2)
    there = -np.log(np.diag(scores) / scores.sum(axis=1)).mean()
    back = -np.log(np.diag(scores) / scores.sum(axis=0)).mean()
    assert found == pytest.approx((there + back) / 2, rel=1e-5)


def test_lines_are_drawn_by_the_exponent(corpus: Path, tokens: Path) -> None:
    read = pretrain.read_corpus(corpus, tiny(tokens), 32, 0.5)
    assert len(read.lines) == 10  # a line separator within a line does not end it
    assert len(read.pairs) == 3
    assert all(len(ids) <= 32 for ids in read.lines)
    english, chinese = read.line_weights[:9].sum(), read.line_weights[9:].sum()
    assert english / chinese == pytest.approx(3.0)  # 9 ** 0.5 to 1 ** 0.5
    assert read.line_weights.sum() == pytest.approx(1)


@pytest.mark.parametrize("content", [None, ""])
def test_no_text_is_an_error(tmp_path: Path, tokens: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "text").mkdir()
        (tmp_path / "text/en.txt").write_text(content, encoding="utf-8")
    with pytest.raises(DataError, match="no text"):
        pretrain.read_corpus(tmp_path, tiny(tokens), 32, 0.3)


def trained(corpus: Path, tokens: Path, seed: int, **changes: float) -> tuple[Model, list[float]]:
    model = tiny(tokens)
    read = pretrain.read_corpus(corpus, model, 32, 0.5)
    settings = SETTINGS.model_copy(update=changes)
    log = Averages(every=1)
    pretrain.pretrain(model, read, settings, 1, seed, log)
    return model, [row["loss"] for row in log.rows]


def test_the_same_seed_gives_the_same_bytes(corpus: Path, tokens: Path, tmp_path: Path) -> None:
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        checkpoint.save(trained(corpus, tokens, seed)[0], tmp_path / name)
    files = ("model.safetensors", "heads.safetensors")
    a, b, c = ([(tmp_path / name / file).read_bytes() for file in files] for name in "abc")
    assert a == b
    assert a != c


def test_it_learns(corpus: Path, tokens: Path) -> None:
    model, losses = trained(corpus, tokens, 1, steps=80, learning_rate=3e-3)
    assert np.mean(losses[-10:]) < 0.7 * np.mean(losses[:10])
    assert list(model.heads) == [LM_HEAD]


def test_without_pairs_it_is_a_masked_lm(corpus: Path, tokens: Path) -> None:
    (corpus / "pairs/zh.tsv").unlink()
    _, losses = trained(corpus, tokens, 1)
    assert len(losses) == 8
    assert losses[0] == pytest.approx(np.log(len(tiny(tokens).pieces)), rel=0.2)


def test_continued_masked_lm_keeps_a_head_or_adds_one(corpus: Path, tokens: Path, tmp_path: Path) -> None:
    texts = pretrain.read_corpus(corpus, tiny(tokens), 32, 1.0)

    def continued(seed: int, kept: bool) -> Model:
        model = tiny(tokens)
        before = model.encoder.get_input_embeddings().weight.detach().clone()
        if not kept:
            model.heads.clear()
            model.head_entries.clear()
            model.add_head("mnli", "classification", ["yes", "no"])
        pretrain.continue_masked_lm(model, texts, SETTINGS, seed, Averages(every=1))
        assert set(model.heads) == set(model.head_entries) == {LM_HEAD}
        assert not torch.equal(before, model.encoder.get_input_embeddings().weight)
        return model

    for kept in (True, False):
        for folder, seed in (("a", 1), ("b", 1), ("c", 2)):
            checkpoint.save(continued(seed, kept), tmp_path / folder)
        first, second, third = (
            (tmp_path / folder / "model.safetensors").read_bytes() for folder in ("a", "b", "c")
        )
        assert first == second != third
