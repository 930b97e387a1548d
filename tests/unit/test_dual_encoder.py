"""Dual encoders: the loss, what is learnt, and the ranking of one pool against brute force."""

import json
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from stage_tasks import part
from test_stage import SHARED, score
from tiny_models import LINES, tiny

from xstilts.data.examples import Candidate, QueryExample
from xstilts.job_settings import PoolPredictionJob
from xstilts.model import checkpoint
from xstilts.model.checkpoint import Model
from xstilts.model.features import inputs
from xstilts.model.heads import SCALE, RankingHead, build, ranking_loss
from xstilts.prediction import rank
from xstilts.prediction.dual_encoder import encode
from xstilts.prediction.rank import rank_pool, ranker_of
from xstilts.training.stage import train_stage

HOW = PoolPredictionJob(head="dual_encoder", max_length=32, embedding="mean", batch_tokens=200)


@given(st.lists(st.integers(0, 3), min_size=1, max_size=6), st.integers(0, 99))
def test_the_loss_is_the_softmax_without_the_twins_of_the_answer(answers: list[int], seed: int) -> None:
    similarity = torch.randn(len(answers), len(answers), generator=torch.Generator().manual_seed(seed))
    expected = 0.0
    for row, own in enumerate(answers):
        rivals = [c for c, other in enumerate(answers) if c == row or other != own]
        expected -= float(similarity[row, row] - torch.logsumexp(similarity[row, rivals], 0)) / len(answers)
    assert float(ranking_loss(similarity, torch.tensor(answers))) == pytest.approx(expected, abs=1e-5)


def test_a_batch_of_one_answer_has_nothing_to_learn() -> None:
    assert float(ranking_loss(torch.randn(4, 4), torch.zeros(4, dtype=torch.long))) == 0


def test_the_head_gives_unit_vectors_and_scales_their_cosines() -> None:
    head = build("dual_encoder", 8, 0, 0.1)
    assert isinstance(head, RankingHead)
    vectors = head(torch.randn(3, 8))
    assert torch.allclose(vectors.norm(dim=-1), torch.ones(3))
    different = torch.arange(3)
    assert torch.isclose(
        head.loss(vectors, vectors, different), ranking_loss(vectors @ vectors.T * SCALE, different)
    )
    head.loss(vectors, vectors.flip(0), different).backward()
    assert head.scale.grad is not None and float(head.scale.grad) != 0


def test_training_beats_the_untrained_encoder(tokens: Path, tmp_path: Path) -> None:
    learnt = part("dual_encoder")
    untrained = tiny(tokens, dropout=0.0)
    untrained.add_head("dual_encoder", "dual_encoder", [])
    model = tiny(tokens, dropout=0.0)
    train_stage(model, [learnt], SHARED, 1, "dual_encoder")
    assert score(model, learnt) > score(untrained, learnt) + 0.3
    checkpoint.save(model, tmp_path / "made")
    assert score(checkpoint.load(tmp_path / "made"), learnt) == score(model, learnt)


@given(
    arrays(np.float32, (5, 3), elements=st.integers(-2, 2)),
    arrays(np.float32, (9, 3), elements=st.integers(-2, 2)),
    st.lists(st.integers(1, 9), min_size=1, max_size=4),
    st.integers(1, 12),
)
def test_parts_of_a_pool_are_ranked_as_the_whole(
    queries: np.ndarray, candidates: np.ndarray, cuts: list[int], k: int
) -> None:
    bounds = sorted({0, 9, *cuts})
    names = [f"c{i}" for i in range(9)]
    pool = [(names[a:b], candidates[a:b]) for a, b in pairwise(bounds)]
    found = rank_pool(queries, pool, k, "cpu")
    for query, ranking in zip(queries, found, strict=True):
        cosines = [
            float(np.float32(query.astype(float) @ candidate.astype(float))) for candidate in candidates
        ]
        best = sorted(range(9), key=lambda i: (-cosines[i], i))[:k]
        assert ranking == tuple((names[i], cosines[i]) for i in best)


@pytest.fixture
def ranked(tokens: Path) -> Model:
    model = tiny(tokens)
    torch.manual_seed(0)
    model.add_head("dual_encoder", "dual_encoder", [])
    for module in model.modules():
        for parameter in module.parameters():
            torch.nn.init.normal_(parameter, std=0.3)
    return model


def test_a_pool_is_ranked_by_the_cosines_of_its_vectors(
    ranked: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rank, "PART", 4)
    queries = [QueryExample(str(i), "xx", line[:9], "", "", ("0",)) for i, line in enumerate(LINES)]
    pool = [Candidate(str(i), "xx", line, LINES[i - 1] if i % 2 else "") for i, line in enumerate(LINES)]

    def vectors(texts: list[tuple[str, str]]) -> np.ndarray:
        ids = [row for text in texts for row in inputs(ranked.pieces, [text], 32)]
        rows = [encode(ranked, "dual_encoder", [row], how="mean", batch_tokens=1) for row in ids]
        return np.concatenate(rows).astype(np.float64)

    cosines = vectors([(q.query, "") for q in queries]) @ vectors([(c.text, c.context) for c in pool]).T
    found = ranker_of(ranked, HOW, "")(queries, iter(pool))
    for row, ranking in zip(cosines, found, strict=True):
        assert [int(name) for name, _ in ranking] == np.argsort(-row, kind="stable").tolist()
        assert [value for _, value in ranking] == pytest.approx(sorted(row, reverse=True), abs=1e-5)


def test_the_pool_is_drawn_part_by_part(ranked: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    """No more candidates than a part are in memory before the first ones are searched."""
    monkeypatch.setattr(rank, "PART", 3)
    drawn: list[int] = []
    searched: list[int] = []
    whole = rank.top_k

    def pool() -> Iterator[Candidate]:
        for i in range(10):
            drawn.append(i)
            yield Candidate(str(i), "xx", LINES[i], "")

    def counted(*args: np.ndarray, **others: str) -> tuple[np.ndarray, np.ndarray]:
        searched.append(len(drawn))
        return whole(*args, **others)

    monkeypatch.setattr(rank, "top_k", counted)
    ranker_of(ranked, HOW, "")([QueryExample("q", "xx", "river", "", "", ("0",))], pool())
    assert searched == [3, 6, 9, 10]


def test_settings_are_data() -> None:
    assert json.loads(HOW.model_dump_json())["embedding"] == "mean"
