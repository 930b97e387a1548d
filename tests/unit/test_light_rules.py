"""A light rule starts at once: the scripts that run no model import neither torch nor transformers.

tests/integration/workflow.py runs the scripts of scores and studies with both refused.
"""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from xstilts.fingerprint import ROOT, sources

HEAVY = {"torch", "transformers", "sentence_transformers"}
MODEL_JOBS = {
    *("initialise_model", "randomise_model", "import_model", "pretrain_model", "train_stage"),
    *("predict_task", "predict_retrieval", "predict_mining", "predict_pool"),
    *("score_equal_pools", "score_sweep", "compare_tasks"),
}
SCRIPTS = sorted((ROOT / "scripts").glob("*.py"))
LIGHT = [path for path in SCRIPTS if path.stem not in MODEL_JOBS]
SEARCH = ROOT / "xstilts/scoring/search_torch.py"
"""Loaded by a search on a GPU only, which no light rule asks for."""
BY_NAME = sorted(
    path
    for pattern in ("studies/*/*.py", "scoring/*.py", "data/formats/*.py", "micro/*.py")
    for path in (ROOT / "xstilts").glob(pattern)
    if path != SEARCH
)
"""Modules that light rules load by name, and their neighbours."""


def heavy(*starts: Path) -> set[str]:
    """The files that import torch or transformers, at any depth, among those that some files reach."""
    return {
        file.relative_to(ROOT).as_posix()
        for file in sources(*starts)
        if file != SEARCH and imported(file) & HEAVY
    }


def imported(file: Path) -> set[str]:
    nodes = list(ast.walk(ast.parse(file.read_text(encoding="utf-8"))))
    plain = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    others = [node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module]
    return {name.partition(".")[0] for name in [*plain, *others]}


@pytest.mark.parametrize("script", LIGHT, ids=lambda path: path.stem)
def test_a_light_script_reaches_no_module_with_torch(script: Path) -> None:
    assert not heavy(script)


def test_what_light_scripts_load_by_name_reaches_none_either() -> None:
    assert len(BY_NAME) > 80
    assert not heavy(*BY_NAME)


def test_every_model_job_reaches_one() -> None:
    assert {path.stem for path in SCRIPTS if heavy(path)} == MODEL_JOBS


def test_even_a_model_job_says_what_is_wrong_before_it_loads_anything() -> None:
    """All scripts explain themselves without a library of models."""
    names = [path.stem for path in SCRIPTS]
    program = (
        f"import sys; sys.path.insert(0, {str(ROOT / 'scripts')!r})\n"
        f"for name in {names!r}: __import__(name)\n"
        f"sys.exit(', '.join(sorted({HEAVY!r} & set(sys.modules))) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
