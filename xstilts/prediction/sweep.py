"""Retrieval with every hidden state and pooling of an encoder."""

from collections.abc import Iterator, Sequence

from xstilts.data.examples import Example
from xstilts.job_settings import RetrievalPredictionJob
from xstilts.model.checkpoint import Model
from xstilts.prediction.embed import embed_everywhere
from xstilts.prediction.retrieval import texts_of
from xstilts.scoring import Measure, score
from xstilts.scoring.search import DEPTH, nearest, rankings


def every_setting(
    model: Model, examples: Sequence[Example], how: RetrievalPredictionJob, label: str
) -> Iterator[tuple[str, dict[str, Measure]]]:
    """Each setting, as scores.tsv calls it, and its metrics.

    Args:
        model: The model, on its device.
        examples: ParallelExamples of one language.
        how: Direction and similarity; its own layer and pooling do not count.
        label: What progress is shown under; empty for none.
    """
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
