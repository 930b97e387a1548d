"""Sweeps over layers and poolings, and pairs mined from a corpus, with a small encoder."""

from pathlib import Path

import numpy as np
import pytest
from tiny_models import LINES, tiny

from xstilts.data.examples import ParallelExample
from xstilts.job_settings import MiningPredictionJob, RetrievalPredictionJob
from xstilts.model.checkpoint import Model
from xstilts.prediction.embed import POOLS, embed, embed_everywhere
from xstilts.prediction.retrieval import mined_pairs, queries_and_index
from xstilts.prediction.sweep import every_setting
from xstilts.scoring import score
from xstilts.scoring.search import nearest, rankings

HOW = RetrievalPredictionJob(layer=None, pool="mean", direction="en2xx", similarity="cosine", batch_tokens=99)
POOL = [ParallelExample(f"id{i}", "de", line[::-1], line) for i, line in enumerate(LINES)]


@pytest.fixture(scope="module")
def model(tokens: Path) -> Model:
    made = tiny(tokens, layers=3)
    made.train(False)
    return made


def test_every_embedding_is_that_of_its_layer_and_pooling(model: Model) -> None:
    found = embed_everywhere(model, [*LINES, ""], batch_tokens=99)
    assert set(found) == {(layer, how) for layer in range(4) for how in POOLS}
    for (layer, how), vectors in found.items():
        alone = embed(model, [*LINES, ""], layer=layer, how=how, batch_tokens=99)
        np.testing.assert_array_equal(vectors, alone)


@pytest.mark.parametrize(("similarity", "neighbours"), [("cosine", None), ("margin", 4)])
def test_a_sweep_holds_the_scores_of_every_setting(
    model: Model, similarity: str, neighbours: int | None
) -> None:
    how = HOW.model_copy(update={"similarity": similarity, "neighbours": neighbours, "direction": "xx2en"})
    passes: list[int] = []
    hook = model.encoder.register_forward_hook(lambda *_: passes.append(1))
    found = dict(every_setting(model, POOL, how, ""))
    hook.remove()
    swept = len(passes)
    assert list(found) == [f"{k}-{pool}-xx2en-{similarity}" for k in range(4) for pool in POOLS]
    for layer in range(4):
        passes.clear()
        for pool in POOLS:
            own = how.model_copy(update={"pool": pool})
            queries, index = queries_and_index(model, POOL, layer, own, "")
            ranked = rankings([e.id for e in POOL], *nearest(queries, index, 20, neighbours))
            assert found[own.setting(layer)] == score("retrieval", POOL, ranked)
    assert swept > 0
    assert len(set(found)) == 12


def test_a_sweep_runs_the_encoder_once_per_batch(model: Model) -> None:
    passes: list[int] = []
    hook = model.encoder.register_forward_hook(lambda *_: passes.append(1))
    list(every_setting(model, POOL, HOW.model_copy(update={"batch_tokens": 10_000}), ""))
    hook.remove()
    assert len(passes) == 2  # one batch of either side


@pytest.mark.parametrize("pairs", ["max", "intersection"])
def test_sentences_that_are_the_same_find_each_other(model: Model, pairs: str) -> None:
    how = MiningPredictionJob(layer=2, pool="mean", pairs=pairs, neighbours=4, batch_tokens=99)
    texts = LINES[:6]
    corpus = [ParallelExample(f"de-{i}:en-{9 - i}", "de", text, text) for i, text in enumerate(texts)]
    corpus += [ParallelExample("de-7", "de", texts[0], ""), ParallelExample("en-0", "de", "", LINES[7])]
    found = mined_pairs(model, corpus, 2, how, "")
    assert list(found) == [example.id for example in corpus]
    assert found["de-0:en-9"] is found["de-7"] is found["en-0"] is None  # the first stands there twice
    for index in range(1, 6):
        pair = found[f"de-{index}:en-{9 - index}"]
        assert pair is not None
        assert pair[0] == f"en-{9 - index}"
        assert pair[1] > 1
    assert how.setting(2) == f"2-mean-{pairs}-margin"
