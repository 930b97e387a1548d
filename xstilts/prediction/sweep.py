"""Retrieval and mining with every hidden state and pooling of an encoder."""

from collections.abc import Iterator, Sequence

from xstilts.data.examples import Example, ParallelExample
from xstilts.job_settings import MiningPredictionJob, RetrievalPredictionJob
from xstilts.model.checkpoint import Model
from xstilts.prediction.embed import embed_everywhere
from xstilts.prediction.retrieval import texts_of
from xstilts.scoring import Measure, score
from xstilts.scoring.bitext import Neighbours, Search, mined, sides
from xstilts.scoring.search import DEPTH, both_ways, nearest, rankings

Settings = Iterator[tuple[str, dict[str, Measure]]]


def every_setting(
    model: Model,
    examples: Sequence[Example],
    how: RetrievalPredictionJob | MiningPredictionJob,
    label: str,
) -> Settings:
    """Each setting, as scores.tsv calls it, and its metrics.

    Args:
        model: The model, on its device.
        examples: ParallelExamples of one language.
        how: Direction and similarity, or neighbours and pairs of mining, which tunes a threshold for each
            setting; its own layer and pooling do not count.
        label: What progress is shown under; empty for none.
    """
    if isinstance(how, MiningPredictionJob):
        yield from _mining(model, examples, how, label)
    else:
        yield from _retrieval(model, examples, how, label)


def _retrieval(
    model: Model, examples: Sequence[Example], how: RetrievalPredictionJob, label: str
) -> Settings:
    english, other = (
        embed_everywhere(model, texts, batch_tokens=how.batch_tokens, label=label)
        for texts in texts_of(examples)
    )
    queries, index = (english, other) if how.direction == "en2xx" else (other, english)
    ids = [example.id for example in examples]
    for (layer, pool), vectors in queries.items():
        device = model.encoder.device.type
        found = nearest(vectors, index[layer, pool], DEPTH, how.neighbours, device)
        setting = how.model_copy(update={"pool": pool}).setting(layer)
        yield setting, score("retrieval", examples, rankings(ids, *found))


def _mining(model: Model, examples: Sequence[Example], how: MiningPredictionJob, label: str) -> Settings:
    corpus = [example for example in examples if isinstance(example, ParallelExample)]
    own, english = (
        embed_everywhere(model, side.texts, batch_tokens=how.batch_tokens, label=label)
        for side in sides(corpus)
    )
    for layer, pool in own:
        device = model.encoder.device.type
        found = both_ways(own[layer, pool], english[layer, pool], how.neighbours, device)
        pairs = mined(corpus, _already(found), how.pairs)
        setting = how.model_copy(update={"pool": pool}).setting(layer)
        yield setting, score("mining", corpus, pairs)


def _already(found: tuple[Neighbours, Neighbours]) -> Search:
    return lambda own, english: found
