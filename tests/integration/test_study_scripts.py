"""The scripts of a study, here S1, from tables on disk to tests.tsv, verdict.json and figures."""

import json
import subprocess
from pathlib import Path

import pytest

from tests.integration.workflow import light
from tests.unit.study_tables import fertility_table, language_table, planted_scores
from xstilts.tables import read_table, write_table

ROOT = Path(__file__).parents[2]
CHOICES = {"recipes": ["mlm", "squad1"], "distances": ["syntactic", "genetic"]}
SETTINGS = json.dumps({**CHOICES, "metrics": {"tatoeba": "accuracy"}})


def run_script(name: str, *options: str) -> subprocess.CompletedProcess[str]:
    command = light(f"{name}.py", *options)
    environment = {"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin", "PYTHONHASHSEED": "random"}
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, env=environment)


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    folder = tmp_path_factory.mktemp("inputs")
    languages = language_table()
    write_table(planted_scores(languages), folder / "scores.tsv")
    write_table(languages, folder / "languages.tsv")
    write_table(fertility_table(languages), folder / "fertility.tsv")
    options = [("--scores", "scores"), ("--languages", "languages"), ("--fertility", "fertility")]
    return [part for option, name in options for part in (option, str(folder / f"{name}.tsv"))]


def test_from_scores_to_figures(inputs: list[str], tmp_path: Path) -> None:
    for folder in (tmp_path / "one", tmp_path / "two"):
        outputs = ["--tests", str(folder / "tests.tsv"), "--verdict", str(folder / "verdict.json")]
        done = run_script("analyse_study", "--study", "typology", *inputs, "--settings", SETTINGS, *outputs)
        assert (done.returncode, done.stderr) == (0, "")
        plot = [*inputs, "--tests", str(folder / "tests.tsv"), "--settings", SETTINGS, "--note", "miniature"]
        done = run_script("plot_study", "--study", "typology", *plot, "--output-dir", str(folder))
        assert (done.returncode, done.stderr) == (0, "")
    figures = {f"{name}.{kind}" for name in ("scatter", "forest") for kind in ("svg", "pdf", "png")}
    names = {path.name for path in (tmp_path / "one").iterdir()}
    assert names == {"tests.tsv", "verdict.json"} | figures
    for name in sorted(names):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes(), name
    verdict = json.loads((tmp_path / "one" / "verdict.json").read_text(encoding="utf-8"))
    assert verdict["verdict"] == "supports"
    tests = read_table(tmp_path / "one" / "tests.tsv")
    assert verdict["primary_id"] in tests["id"].tolist()


def test_wrong_input_is_one_message(inputs: list[str], tmp_path: Path) -> None:
    outputs = ["--tests", str(tmp_path / "tests.tsv"), "--verdict", str(tmp_path / "verdict.json")]
    done = run_script("analyse_study", "--study", "typology", *inputs, "--settings", '{"alpha": 7}', *outputs)
    assert done.returncode == 1
    assert done.stderr.startswith("ConfigError: alpha")
    absent = ["--scores", str(tmp_path / "none.tsv"), *inputs[2:]]
    done = run_script("analyse_study", "--study", "typology", *absent, "--settings", SETTINGS, *outputs)
    assert done.returncode == 1
    assert done.stderr.startswith("DataError: a table is missing")
    assert not any(tmp_path.iterdir())
