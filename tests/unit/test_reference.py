"""Generated pages that agree with the code, and pages that leave nothing out."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from xstilts import reference, registry
from xstilts import settings as configuration
from xstilts.data.lock import load_lock
from xstilts.data.page import page as data_page
from xstilts.jobs import Jobs
from xstilts.plan import Plan
from xstilts.registry import evaluation_tasks
from xstilts.settings import Settings
from xstilts.study_jobs import StudyJobs

ROOT = Path(__file__).parents[2]
RULES = sorted((ROOT / "rules").glob("*.smk"))
BY_HAND = {"check_data", "lock_data", "write_reference"}  # programs that no rule calls
# A rule, and the program of another that it calls.
SERVED = {"continue_pretraining": "pretrain_model", "collect_study_scores": "collect_scores"}
SERVED |= {"collect_study_incidents": "collect_incidents"}
AGAIN = "run `make docs`"


def read(path: str) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


def test_the_schema_is_that_of_the_models() -> None:
    assert read("config/schema.json") == reference.schema(), AGAIN


def test_the_reference_page_is_that_of_the_models_and_rules() -> None:
    page = reference.page(ROOT / "Snakefile", ROOT / "rules" / "collect.smk")
    assert read("docs/configuration.md") == page, AGAIN


def test_the_page_on_data_is_that_of_the_registries_and_the_lock() -> None:
    assert read("docs/data.md") == data_page(load_lock(ROOT / "data.lock")), AGAIN


def test_every_data_set_split_and_task_is_on_the_page() -> None:
    text = read("docs/data.md")
    for name, entry in registry.datasets().items():
        assert f"| `{name}` | {entry.title} | `{entry.format}` | {entry.licence} |" in text
        assert all(f"| `{name}` | `{split}` |" in text for split in entry.splits)
    for name in [*registry.training_tasks(), *registry.evaluation_tasks()]:
        assert f"\n| `{name}` | " in text
    assert "tl 222 (55), yo 318 (100)" in text, "a count that differs is shown beside the published one"
    assert "CCGbank is licensed" in text


def test_the_page_names_repositories_of_the_hub() -> None:
    (row,) = [line for line in read("docs/data.md").splitlines() if line.startswith("| `xnli` | XNLI")]
    assert "| `facebook/xnli` at `b8dd5d7af51114dbda02c0e3f6133f332186418e` |" in row


def test_the_drawing_is_that_of_the_rules(tmp_path: Path) -> None:
    command = [sys.executable, "scripts/draw_rulegraph.py", "--output", str(tmp_path / "rulegraph.svg")]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    assert (tmp_path / "rulegraph.svg").read_text(encoding="utf-8") == read("docs/rulegraph.svg"), AGAIN


def keys(model: type[BaseModel]) -> Iterator[tuple[str, Any]]:
    """Every key of a section and of those below it, found through pydantic and not through the schema."""
    for name, field in model.model_fields.items():
        below = _models(field.annotation)
        if not below:
            yield name, field
        for kind in below:
            yield from keys(kind)


def _models(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [kind for part in getattr(annotation, "__args__", ()) for kind in _models(part)]


def test_every_key_is_on_the_reference_page_with_its_meaning() -> None:
    page = read("docs/configuration.md")
    found = list(keys(Settings))
    assert len(found) > 60
    for name, field in found:
        assert field.description, f"{name} has no description"
        assert re.search(
            rf"^\| `{name}` \|.*\| {re.escape(reference._cell(field.description))} \|$", page, re.M
        )


def test_values_that_vary_are_marked() -> None:
    page = read("docs/configuration.md")
    varying = set(re.findall(r"^\| `(\w+)` \|[^|]*\|[^|]*\| yes \|", page, re.M))
    assert {"threads", "steps", "learning_rate", "epochs", "batch_size"} <= varying
    assert not varying & {"seeds", "vocabulary", "metrics", "targets", "folder"}


def test_every_target_is_documented() -> None:
    targets = reference.targets(ROOT / "Snakefile", ROOT / "rules" / "collect.smk")
    names = re.findall(r"^rule (\w+):", read("Snakefile") + read("rules/collect.smk"), re.M)
    assert sorted(targets) == sorted(names), "a target has no docstring"
    documented = read("docs/configuration.md") + read("README.md")
    assert all(f"`{name}`" in documented for name in names)


def test_every_key_of_the_committed_runs_is_in_the_schema() -> None:
    schema = json.loads(read("config/schema.json"))
    for overlay in [None, *sorted((ROOT / "config").glob("*.yaml"))]:
        paths = [ROOT / "config.yaml", *([overlay] if overlay else [])]
        assert set(configuration.read(*paths).model_dump()) == set(schema["properties"])


def test_every_script_has_a_rule_and_every_rule_its_script() -> None:
    called = set(
        re.findall(r"scripts/(\w+)\.py", "".join(path.read_text(encoding="utf-8") for path in RULES))
    )
    jobs = Jobs(Plan(configuration.read(ROOT / "config.yaml")))
    called |= {Path(jobs.prediction_script(task)).stem for task in evaluation_tasks()}
    there = {path.stem for path in (ROOT / "scripts").glob("*.py")}
    assert called <= there
    assert there - called == BY_HAND


def rule_texts() -> list[tuple[str, str]]:
    found = [
        match
        for path in RULES
        for match in re.findall(
            r"^rule (\w+):\n(.*?)(?=^rule |\Z)", path.read_text(encoding="utf-8"), re.M | re.S
        )
    ]
    return [(name, body) for name, body in found if "shell:" in body]


@pytest.mark.parametrize(("name", "body"), rule_texts(), ids=[name for name, _ in rule_texts()])
def test_a_rule_calls_the_script_of_its_name_and_hashes_its_code(name: str, body: str) -> None:
    started = r"(python (-m xstilts\.warm (--studies )?)?|\{params\.trainer\} )"
    assert re.search(rf"{started}scripts/{SERVED.get(name, name)}\.py", body)
    assert re.search(r"^        code=", body, re.M)
    assert re.search(r'^    """.+"""', body, re.M)


def result_paths() -> set[str]:
    """Every path below results/<run>/ that a rule names, with the page's names for wildcards."""
    jobs = Jobs(Plan(configuration.read(ROOT / "config.yaml")))
    found = set(re.findall(r"\{RUN\}/([^\"\s']+)", "".join(body for _, body in rule_texts())))
    found |= {path.removeprefix(f"{jobs.folder}/") for path in StudyJobs(jobs).files("typology")}
    for old, new in {"{{": "{", "}}": "}", "wildcards.": "", "params.": ""}.items():
        found = {path.replace(old, new) for path in found}
    words = {"seed{seed}": "seed<k>", "{dataset_folder}": "<data set>", "studies/typology": "studies/<study>"}
    words |= {"{model}": "<model>", "{recipe}": "<recipe>", "{task}": "<task>", "{study}": "<study>"}
    words |= {"{dataset}/{split}/{part}": "<data set>/<split>/<language or all>"}
    for old, new in words.items():
        found = {path.replace(old, new) for path in found}
    found = {re.sub(r"(studies/<study>)/\w+\.(svg|pdf|png)$", r"\1/<figure>.\2", path) for path in found}
    return {path for path in found if not path.startswith(("logs/", "benchmarks/", "state/"))}


def test_every_file_of_a_run_is_explained() -> None:
    table = "\n".join(line for line in read("docs/architecture.md").splitlines() if line.startswith("| `"))
    table = table.replace(
        "`, `.pdf`, `.png`", "` `studies/<study>/<figure>.pdf` `studies/<study>/<figure>.png`"
    )
    explained = {path.rstrip("/") for path in re.findall(r"`([^`]+)`", table)}
    named = {path.rstrip("/") for path in result_paths()}
    assert len(named) > 20
    folders = {
        "source",
        "data/training",
        "studies/<study>",
    }  # options that name the folder of several outputs
    assert named - explained - folders == set()
