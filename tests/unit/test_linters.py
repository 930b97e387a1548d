"""The linters, each as a test, so that one command and one summary tell whether the code is clean."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PYTHON_FILES = ["xstilts", "scripts", "benchmarks", "tests"]
LINTERS = {
    "ruff check": ["-m", "ruff", "check", *PYTHON_FILES],
    "ruff format": ["-m", "ruff", "format", "--check", *PYTHON_FILES],
    "mypy": ["-m", "mypy"],
    "snakefmt": ["-m", "snakefmt", "--check", "Snakefile", "rules"],
    "snakemake --lint": ["-m", "snakemake", "--lint"],
}


@pytest.mark.parametrize("name", LINTERS)
def test_nothing_to_complain_of(name: str) -> None:
    done = subprocess.run([sys.executable, *LINTERS[name]], cwd=ROOT, capture_output=True, text=True)
    if done.returncode != 0:
        pytest.fail(f"{name}:\n{done.stdout}\n{done.stderr}", pytrace=False)
