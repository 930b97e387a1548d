"""Has a run learnt anything? A miniature easily looks as if it had (digits, shared letters, majorities).

Encoders are compared with untrained ones language by language, and heads with the best constant answer.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from xstilts.data.storage import read_examples
from xstilts.recipes import MLM, UNTRAINED
from xstilts.registry import TrainingTask
from xstilts.scoring import HEADLINES
from xstilts.scoring.baselines import constant_baseline
from xstilts.tables import read_table

COLUMNS = ["check", "model", "subject", "metric", "value", "baseline", "difference", "required", "passed"]
STANDARD_ERRORS = 3.0  # by which a non-Latin language has to beat the untrained encoder
LANGUAGES_SHARE = 0.75  # of those languages that have to
MEAN_GAIN, SPREAD, HEAD_GAIN = 0.15, 0.3, 0.1
SMALLEST = 1e-9  # gain, where both scores are 0 or 1 and there is no standard error


Row = dict[str, Any]


def _row(
    check: str, model: str, subject: str, metric: str, value: float, baseline: float, required: float
) -> Row:
    difference = value - baseline
    passed = bool(difference >= required)
    values = (check, model, subject, metric, value, baseline, difference, required, passed)
    return dict(zip(COLUMNS, values, strict=True))


def encoder_rows(scores: pd.DataFrame, languages: pd.DataFrame) -> list[Row]:
    """The masked LM against its untrained twin on each retrieval task, by accuracy.

    Args:
        scores: scores.tsv.
        languages: languages.tsv, for the scripts.

    Returns:
        Per model and task: the mean over languages, the spread between best and worst language, the
        share of languages in non-Latin scripts with a gain of three standard errors, and each language
        with that error as what is required.
    """
    accuracy = scores[(scores["setting"] != "-") & (scores["metric"] == HEADLINES["retrieval"])]
    retrieval = accuracy[accuracy["recipe"].isin([MLM, UNTRAINED])]
    scripts = dict(zip(languages["language"], languages["script"], strict=True))
    rows: list[Row] = []
    for key, group in retrieval.groupby(["model", "task", "metric"], sort=True):
        model, task, metric = (str(part) for part in key)
        rows += _encoder_rows(model, task, metric, group, scripts)
    return rows


def _encoder_rows(
    model: str, task: str, metric: str, group: pd.DataFrame, scripts: Mapping[str, str]
) -> list[Row]:
    wide = group.pivot_table(index="language", columns="recipe", values="value").sort_index()
    codes = [str(code) for code in wide.index]
    learnt, untrained = wide[MLM].to_numpy(float), wide[UNTRAINED].to_numpy(float)
    n = group.groupby("language")["n"].first().reindex(codes).to_numpy(float)
    error = np.sqrt((learnt * (1 - learnt) + untrained * (1 - untrained)) / n)
    needed = np.maximum(STANDARD_ERRORS * error, SMALLEST)
    is_other_script = np.array([scripts.get(code) != "Latn" for code in codes])
    beaten = (learnt - untrained >= needed)[is_other_script]
    rows = [
        _row("encoder_mean", model, task, metric, learnt.mean(), untrained.mean(), MEAN_GAIN),
        _row("encoder_spread", model, task, metric, learnt.max(), learnt.min(), SPREAD),
    ]
    if len(beaten):
        rows.append(_row("encoder_non_latin_share", model, task, metric, beaten.mean(), 0.0, LANGUAGES_SHARE))
    each = zip(codes, learnt, untrained, needed, strict=True)
    return rows + [
        _row("encoder", model, f"{task}/{code}", metric, value, baseline, least)
        for code, value, baseline, least in each
    ]


def head_rows(checkpoints: Sequence[Path], data: Path, entries: Mapping[str, TrainingTask]) -> list[Row]:
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
        baseline = constant_baseline(entry.type, train, dev, entry.labels, entry.metric)
        value = read_table(folder / "training_log.tsv")["value"].max()
        rows.append(_row("head", model, task, baseline["metric"], value, baseline["value"], HEAD_GAIN))
    return rows
