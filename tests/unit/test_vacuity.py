"""Whether a run has learnt anything."""

import math
from pathlib import Path

import pandas as pd
import pytest
from stage_tasks import examples, part

from xstilts.data.storage import write_examples
from xstilts.scoring.vacuity import COLUMNS, encoder_rows, head_rows
from xstilts.tables import write_table
from xstilts.training import training_log

LANGUAGES = pd.DataFrame({"language": ["de", "ru", "zh"], "script": ["Latn", "Cyrl", "Hans"]})


def scores(learnt: dict[str, float], untrained: float = 0.1, n: int = 100) -> pd.DataFrame:
    common = {"model": "m", "task": "tatoeba", "metric": "accuracy", "setting": "1-mean-en2xx-cosine", "n": n}
    rows = [{**common, "recipe": "mlm", "language": code, "value": value} for code, value in learnt.items()]
    rows += [{**common, "recipe": "untrained", "language": code, "value": untrained} for code in learnt]
    rows.append({**common, "recipe": "mnli", "language": "de", "value": 0.0})
    rows.append({**common, "recipe": "mnli", "setting": "-", "task": "xnli", "language": "de", "value": 0.0})
    return pd.DataFrame(rows)


def by_subject(rows: list[dict], check: str) -> dict[str, dict]:
    return {row["subject"]: row for row in rows if row["check"] == check}


def test_an_encoder_that_has_learnt() -> None:
    rows = encoder_rows(scores({"de": 0.9, "ru": 0.5, "zh": 0.15}), LANGUAGES)
    assert all(list(row) == COLUMNS for row in rows)
    mean = by_subject(rows, "encoder_mean")["tatoeba"]
    assert mean["value"] == pytest.approx(1.55 / 3)
    assert mean["passed"]
    assert by_subject(rows, "encoder_spread")["tatoeba"]["difference"] == pytest.approx(0.75)
    share = by_subject(rows, "encoder_non_latin_share")["tatoeba"]
    assert share["value"] == 0.5 and not share["passed"]  # Russian is clear of chance, Chinese is not
    chinese = by_subject(rows, "encoder")["tatoeba/zh"]
    assert chinese["required"] == pytest.approx(3 * math.sqrt((0.15 * 0.85 + 0.1 * 0.9) / 100))
    assert not chinese["passed"]


def test_encoders_are_compared_by_accuracy_alone() -> None:
    table = scores({"de": 0.9, "ru": 0.5, "zh": 0.15})
    both = pd.concat([table, table.assign(metric="mrr", value=0.0)])
    assert encoder_rows(both, LANGUAGES) == encoder_rows(table, LANGUAGES)


def test_an_encoder_that_has_not() -> None:
    rows = encoder_rows(scores({"de": 0.1, "ru": 0.1, "zh": 0.1}), LANGUAGES)
    assert not any(row["passed"] for row in rows)


def test_scores_without_spread_still_need_a_gain() -> None:
    rows = encoder_rows(scores({"ru": 0.0}, untrained=0.0), LANGUAGES)
    assert not by_subject(rows, "encoder")["tatoeba/ru"]["passed"]


def test_latin_languages_alone_have_no_such_share() -> None:
    rows = encoder_rows(scores({"de": 0.9}), LANGUAGES)
    assert not by_subject(rows, "encoder_non_latin_share")


@pytest.mark.parametrize(("best", "passed"), [(0.9, True), (0.55, False)])
def test_heads_against_constant_answers(tmp_path: Path, best: float, passed: bool) -> None:
    checkpoint = tmp_path / "checkpoints/m/mnli/seed1"
    for split in ("train", "dev"):
        write_examples(tmp_path / f"data/mnli/{split}.jsonl", examples("classification"))
    rows = [
        {"step": i, "loss": 1.0, "task": "mnli", "metric": "accuracy", "value": v}
        for i, v in ((1, best), (2, 0.5))
    ]
    training_log.write(rows, checkpoint)
    (row,) = head_rows([checkpoint], tmp_path / "data", {"mnli": part("classification").settings.entry})
    assert (row["model"], row["subject"], row["value"]) == ("m", "mnli", best)
    assert row["baseline"] == 0.5
    assert row["passed"] is passed
    write_table(pd.DataFrame([row], columns=COLUMNS), tmp_path / "vacuity.tsv")
