"""Has a run learnt anything? A miniature easily looks as if it had (digits, shared letters, majorities).

Encoders are compared with untrained ones language by language, and heads with the best constant answer.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from xstilts.data.storage import read_examples
from xstilts.recipes import MLM, UNTRAINED
from xstilts.registry import TrainingTask
from xstilts.scoring.baselines import constant_baseline
from xstilts.tables import read_table

COLUMNS = ["check", "model", "subject", "metric", "value", "baseline", "difference", "required", "passed"]
STANDARD_ERRORS = 3.0  # by which a non-Latin language has to beat the untrained encoder
LANGUAGES_SHARE = 0.75  # of those languages that have to
MEAN_GAIN, SPREAD, HEAD_GAIN = 0.15, 0.3, 0.1


def _row(check: str, model: str, subject: str, metric: str, value: float, baseline: float, required: float) -> dict:
    difference = value - baseline
    return dict(
        zip(COLUMNS, (check, model, subject, metric, value, baseline, difference, required, difference >= required), strict=True)
    )


def encoder_rows(scores: pd.DataFrame, languages: pd.DataFrame) -> list[dict]:
    """The masked LM against its untrained twin on each retrieval task.

    Args:
        scores: scores.tsv.
        languages: languages.tsv, for the scripts.

    Returns:
        Per model and task: the mean over languages, the spread between best and worst language, the
        share of languages in non-Latin scripts with a gain of three standard errors, and each language
        with that error as what is required.
    """
    retrieval = scores[(scores["setting"] != "-") & scores["recipe"].isin([MLM, UNTRAINED])]
    scripts = languages.set_index("language")["script"]
    rows: list[dict] = []
    for (model, task, metric), group in retrieval.groupby(["model", "task", "metric"], sort=True):
        wide = group.pivot(index="language", columns="recipe", values="value")
        n = group.groupby("language")["n"].first()
        error = np.sqrt((wide[MLM] * (1 - wide[MLM]) + wide[UNTRAINED] * (1 - wide[UNTRAINED])) / n)
        needed = (STANDARD_ERRORS * error).clip(lower=1e-9)
        beaten = (wide[MLM] - wide[UNTRAINED] >= needed)[scripts.reindex(wide.index) != "Latn"]
        values = wide.mean()
        rows += [
            _row("encoder_mean", model, task, metric, values[MLM], values[UNTRAINED], MEAN_GAIN),
            _row("encoder_spread", model, task, metric, wide[MLM].max(), wide[MLM].min(), SPREAD),
            _row("encoder_non_latin_share", model, task, metric, beaten.mean(), 0.0, LANGUAGES_SHARE),
        ]
        rows += [
            _row("encoder", model, f"{task}/{code}", metric, wide.at[code, MLM], wide.at[code, UNTRAINED], needed[code])
            for code in wide.index
        ]
    return rows


def head_rows(checkpoints: Sequence[Path], data: Path, entries: Mapping[str, TrainingTask]) -> list[dict]:
    """Each head's best score on English dev against the best constant answer.

    Args:
        checkpoints: Folders <model>/<task>/seed<k> of checkpoints fine-tuned on one task.
        data: Prepared examples, <task>/train.jsonl and dev.jsonl.
        entries: The registry's entries of the tasks.
    """
    rows = []
    for folder in checkpoints:
        model, task = folder.parts[-3:-1]
        entry = entries[task]
        train, dev = (read_examples(data / task / f"{split}.jsonl") for split in ("train", "dev"))
        baseline = constant_baseline(entry.type, train, dev, entry.labels)
        value = read_table(folder / "training_log.tsv")["value"].max()
        rows.append(_row("head", model, task, baseline["metric"], value, baseline["value"], HEAD_GAIN))
    return rows
