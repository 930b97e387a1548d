"""Predict one retrieval task in all its languages: rank the nearest sentences of the other side."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any

from typer import Option

from xstilts import card
from xstilts.command_line import from_json, run
from xstilts.data.examples import Example
from xstilts.data.sources import open_source
from xstilts.job_settings import RetrievalPredictionJob
from xstilts.model.layers import default_layer, layers_of
from xstilts.prediction.job import Predictor, predict_languages
from xstilts.registry import PredictionTask


def main(
    checkpoint: Annotated[Path, Option(help="The checkpoint")],
    task: Annotated[str, Option(help="Name of the evaluation task")],
    entry: Annotated[str, Option(help="Its registry entry, as JSON")],
    languages: Annotated[str, Option(help="Languages, separated by spaces")],
    root: Annotated[Path, Option(help="Source folder of the examples")],
    settings: Annotated[str, Option(help="Layer, pooling, direction and similarity, as JSON")],
    threads: Annotated[int, Option(help="CPU threads")],
    device: Annotated[str, Option(help="auto, cpu or cuda")],
    code: Annotated[str, Option(help="Hash of the code, for the stamps")],
    output: Annotated[Path, Option(help="Folder of the predictions")],
    lock: Annotated[str, Option(help="data.lock of the source folder; none: it has no lock")] = "none",
) -> None:
    """Write predictions and stamps, but for languages whose stamp still holds."""
    definition = from_json(PredictionTask, entry, "--entry")
    chosen, made = from_json(RetrievalPredictionJob, settings, "--settings"), card.read(checkpoint)
    layer = chosen.layer or default_layer(layers_of(checkpoint))
    stamp = {
        "device": device,
        "weights": made["weights"],
        "parameters": made["parameters"],
        "code": code,
        "entry": definition.model_dump(),
        "settings": chosen.model_dump(),
        "setting": chosen.setting(layer),
        "threads": threads,
    }
    loader = _loader(checkpoint, task, layer, chosen, threads, device)
    predict_languages(definition, languages.split(), open_source(root, lock), output, stamp, loader)


def _loader(
    checkpoint: Path, task: str, layer: int, chosen: RetrievalPredictionJob, threads: int, device: str
) -> Callable[[], Predictor]:
    def load() -> Predictor:
        from xstilts.model import checkpoint as checkpoints
        from xstilts.model.device import prepare
        from xstilts.prediction.retrieval import queries_and_index
        from xstilts.scoring.search import DEPTH, nearest, rankings

        place = prepare(device, threads)
        model = checkpoints.load(checkpoint, with_heads=False).to(place)

        def predictor(examples: Sequence[Example], language: str) -> dict[str, Any]:
            label = f"predict {task} {language}"
            queries, index = queries_and_index(model, examples, layer, chosen, label)
            found = nearest(queries, index, DEPTH, chosen.neighbours, place.type)
            return dict(rankings([example.id for example in examples], *found))

        return predictor

    return load


if __name__ == "__main__":
    run(main)
