"""The script that evaluates the claims, run as the workflow runs it, on a small table of scores."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from xstilts.scoring.table import COLUMNS
from xstilts.tables import read_table, write_table

ROOT = Path(__file__).parents[2]
LARGE = "FacebookAI/xlm-roberta-large"


def evaluate(
    folder: Path, claims: Path = ROOT / "claims.yaml", **changes: Any
) -> "subprocess.CompletedProcess[str]":
    """Run the script with a run that gains ten points on BUCC with two recipes, one seed each."""
    place = {
        "run": "r",
        "model": "large",
        "parameters": 559_890_432,
        "target": "-",
        "task": "bucc2018",
        "n": 9,
    }
    place |= {"split": "dev-half", "setting": "-", "metric": "f1"}
    rows = [
        place
        | {"recipe": recipe, "intermediate": intermediate, "seed": seed, "language": code, "value": value}
        for recipe, intermediate, seed, value in (("mlm", "-", 0, 0.25), ("squad2", "squad2", 1, 0.35))
        for code in ("de", "fr", "ru", "zh")
    ]
    write_table(pd.DataFrame(rows, columns=COLUMNS), folder / "scores.tsv")
    columns = ["trained_on", "language", "evaluation", "removed", "of"]
    write_table(pd.DataFrame([["squad2", "en", "any", 7, 130319]], columns=columns), folder / "leakage.tsv")
    facts = {"name": "r", "miniature": False, "source": "hub", "models": {"large": LARGE}, "locked": {}}
    facts |= {"stages": [["squad2", "-", "bucc2018"]], **changes}
    command = [
        sys.executable, str(ROOT / "scripts/evaluate_claims.py"), "--claims", str(claims),
        "--facts", json.dumps(facts), "--scores", str(folder / "scores.tsv"),
        "--leakage", str(folder / "leakage.tsv"), "--output", str(folder / "claims.tsv"),
    ]  # fmt: skip
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, capture_output=True, text=True, env=environment, check=False)


def test_every_claim_has_a_verdict(tmp_path: Path) -> None:
    done = evaluate(tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    table = read_table(tmp_path / "claims.tsv").set_index("id")
    assert len(table) == 20
    assert set(table["verdict"]) == {"reproduced", "not reproduced", "not run at this tier"}
    assert table.loc["squad2_examples", "verdict"] == "reproduced"
    assert table.loc["squad2_examples", "found"] == 130319
    assert list(table.index[table["verdict"] == "not reproduced"]) == ["three_phases"]
    assert table.loc["three_phases", "found"] == 2
    assert "xnli, pawsx, udpos, panx, xquad, mlqa, tydiqa, tatoeba" in table.loc["squad_gain", "why"]
    assert table.loc[table["verdict"] == "not run at this tier", "found"].isna().all()
    first = (tmp_path / "claims.tsv").read_bytes()
    evaluate(tmp_path)
    assert (tmp_path / "claims.tsv").read_bytes() == first


@pytest.mark.parametrize(("value", "verdict"), [(10, "reproduced"), (10.0001, "not reproduced")])
def test_a_claim_of_ones_own(tmp_path: Path, value: float, verdict: str) -> None:
    quantity = {"function": "mean_gain", "recipes": ["squad2"], "tasks": ["bucc2018"]}
    claim = {"id": "own", "statement": "s", "source": "me", "tier": "paper", "quantity": quantity}
    claim |= {"relation": "at_least", "expected": value, "unit": "points"}
    content = {"model": {"title": "L", "repository": LARGE, "parameters": 559000000}, "claims": [claim]}
    own = tmp_path / "own.yaml"
    own.write_text(json.dumps(content), encoding="utf-8")  # JSON is YAML
    assert evaluate(tmp_path, own).returncode == 0
    table = read_table(tmp_path / "claims.tsv")
    assert list(table["found"]) == [10]
    assert list(table["verdict"]) == [verdict]
    assert evaluate(tmp_path, own, miniature=True).returncode == 0
    assert list(read_table(tmp_path / "claims.tsv")["verdict"]) == ["not run at this tier"]


def test_a_fault_is_one_message_and_leaves_what_was_there(tmp_path: Path) -> None:
    text = (ROOT / "claims.yaml").read_text(encoding="utf-8")
    broken = tmp_path / "claims.yaml"
    broken.write_text(text.replace("expected: 8.2", "expected: much"), encoding="utf-8")
    (tmp_path / "claims.tsv").write_text("finished", encoding="utf-8")
    done = evaluate(tmp_path, broken)
    assert done.returncode == 1
    assert "ConfigError: claim 'squad_gain': expected: Input should be a valid number" in done.stderr
    assert "Traceback" not in done.stderr
    assert (tmp_path / "claims.tsv").read_text(encoding="utf-8") == "finished"


def test_no_torch_is_imported() -> None:
    code = "import runpy, sys; runpy.run_path('scripts/evaluate_claims.py'); print('torch' in sys.modules)"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout == "False\n"
