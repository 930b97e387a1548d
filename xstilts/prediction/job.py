"""One prediction job: every language of one task with one checkpoint, but for those whose stamp holds."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from xstilts.data.examples import Example
from xstilts.data.lock import sha256_of
from xstilts.data.shares import capped
from xstilts.data.sources import FolderSource
from xstilts.prediction import stamps
from xstilts.prediction.submission import prediction_path, write_predictions, written_files
from xstilts.registry import PredictionTask

Predictor = Callable[[Sequence[Example], str], Mapping[str, Any]]


def predict_languages(
    entry: PredictionTask,
    languages: Sequence[str],
    source: FolderSource,
    output: Path,
    stamp: dict[str, Any],
    predictor: Callable[[], Predictor],
) -> None:
    """Write predictions and stamps of all languages below `output`.

    Args:
        entry: The task.
        languages: Its languages.
        source: Where its examples are.
        output: Folder of the predictions.
        stamp: All that decides them but for the examples.
        predictor: Loads the model, when the first language needs it; the predictor then maps examples
            and their language to predictions by id.
    """
    dataset, split = entry.data.dataset, entry.data.split
    loaded: Predictor | None = None
    for language in languages:
        path = prediction_path(output, entry.type, split, language)
        data = {file.name: sha256_of(file) for file in source.verified(dataset, split, language)}
        whole = {**stamp, "data": data}
        files = written_files(path, entry.type)
        if stamps.holds(files, whole):
            stamps.keep(files)
            continue
        loaded = loaded or predictor()
        examples = capped(source.read(dataset, split, language), entry.cap)
        predictions = loaded(examples, language)
        stamps.remove(path)  # killed in between, the job leaves no stamp of other predictions
        write_predictions(path, entry.type, examples, predictions)
        stamps.write(path, whole)
