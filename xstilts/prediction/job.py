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
from xstilts.scoring import tuned_threshold

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

    What a threshold is tuned on is predicted first, and by that what is scored.

    Args:
        entry: The task.
        languages: Its languages.
        source: Where its examples are.
        output: Folder of the predictions.
        stamp: All that decides them but for the examples.
        predictor: Loads the model, when the first language needs it; the predictor then maps examples
            and their language to predictions by id.
    """
    loaded: Predictor | None = None
    for language in languages:
        parts = entry.parts(language)
        verified = [file for part in parts for file in source.verified(*part, language)]
        whole = {**stamp, "data": {file.name: sha256_of(file) for file in verified}}
        paths = [prediction_path(output, entry.type, split, language) for _, split in parts]
        files = [written_files(path, entry.type) for path in paths]
        if all(stamps.holds(each, whole) for each in files):
            for each in files:
                stamps.keep(each)
            continue
        loaded = loaded or predictor()
        threshold = None
        for part, path in zip(parts, paths, strict=True):
            examples = capped(source.read(*part, language), entry.cap)
            predictions = loaded(examples, language)
            stamps.remove(path)  # killed in between, the job leaves no stamp of other predictions
            write_predictions(path, entry.type, examples, predictions, threshold)
            stamps.write(path, whole)
            if len(parts) > 1:
                threshold = tuned_threshold(entry.type, examples, predictions)
