"""The source `hub` without the hub: its registry, what a run fetches, and how a row becomes an example."""

import ast
import json
import subprocess
import sys
from dataclasses import fields
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet
from test_settings import DEFAULT, changed

from xstilts import fingerprint, registry, settings
from xstilts.data.counts import published, remark
from xstilts.data.examples import ChoiceExample, PairExample, SpanExample
from xstilts.data.formats.parquet import parse
from xstilts.data.labels import EXAMPLE_TYPES
from xstilts.errors import DataError, RegistryError
from xstilts.jobs import Jobs
from xstilts.plan import Plan
from xstilts.preconditions import Preconditions
from xstilts.registry.hub import WHOLE, hub_datasets

GIVEN = {"id", "language"}
EXTRA = {"id", "index", "letters"}


def jobs(tasks: list[str], languages: list[str], recipes: list[str] | None = None) -> Jobs:
    """A run on the hub's data, its model fetched too."""
    config = changed("data.source", "hub")
    hub_model = {"source": "hub", "repository": "someone/model", "revision": "a" * 40}
    config["models"] = {"micro": {**hub_model, "architecture": None, "retrieval_layer": None}}
    config["run"] |= {"studies": [], "languages": languages, "models": ["micro"]}
    config["run"]["evaluations"] = [{"recipes": recipes or ["mlm"], "tasks": tasks}]
    return Jobs(Plan(settings.load(config)))


@pytest.mark.parametrize("name", sorted(hub_datasets()))
def test_an_entry_fills_its_example_and_agrees_with_the_data_set(name: str) -> None:
    entry, known = hub_datasets()[name], registry.datasets()[name]
    needed = {field.name for field in fields(EXAMPLE_TYPES[entry.type])} - GIVEN
    optional = {"context", "question"} if entry.type == "multiple_choice" else set()
    assert needed - optional <= set(entry.columns) <= needed | EXTRA
    assert set(known.evaluation) <= set(entry.splits), "what is held out is on the hub, too"
    for split, files in entry.splits.items():
        assert files.files.endswith("*.parquet")
        several = len(entry.languages_of(split)) > 1
        assert ("{" in files.files) or bool(entry.rows) or not several
    users = [*registry.training_tasks().values(), *registry.evaluation_tasks().values()]
    read = [(split, task) for task in users for split in getattr(task, "splits", None) or [task.data]]
    types = {entry.type, "dual_encoder"} if entry.type == "span" else {entry.type}  # or queries
    assert {task.type for split, task in read if split.dataset == name} <= types


@pytest.mark.parametrize("overlay", ["base", "paper"])
def test_the_runs_on_the_hub_find_all_that_they_read(overlay: str) -> None:
    run = Jobs(Plan(settings.read(DEFAULT, DEFAULT.parent / "config" / f"{overlay}.yaml")))
    Preconditions(run).validate()
    assert run.settings.data.source == "hub"
    assert run.fetched[-1] == f"results/{overlay}/source/models/{run.run.models[0]}"
    read = {folder for task in run.tasks for folder in run.evaluation_inputs(task)}
    read |= {folder for task in run.plan.training_tasks for folder in run.training_inputs(task)}
    assert read < set(run.fetched)


def test_training_data_are_fetched_in_the_languages_trained_on_alone() -> None:
    run = jobs(["pawsx"], ["en", "de"])
    folder = f"{run.folder}/source/pawsx"
    assert [path for path in run.fetched if path.startswith(f"{folder}/train")] == [f"{folder}/train/en"]
    assert run.evaluation_inputs("pawsx") == [f"{folder}/dev/de", f"{folder}/dev/en"]


def test_held_out_data_are_fetched_whatever_the_run_selects() -> None:
    one, more = jobs(["xnli"], ["en"]), jobs(["xnli", "xquad"], ["en", "de", "sw"])
    held_out = set(one.all_evaluation_inputs)
    assert held_out == set(more.all_evaluation_inputs)
    assert {f"{one.folder}/source/xquad/test/ro", f"{one.folder}/source/tydiqa/dev/{WHOLE}"} <= held_out
    assert held_out <= set(one.fetched)


def test_a_changed_entry_touches_only_the_parts_that_it_concerns() -> None:
    entry = hub_datasets()["xnli"]
    other = entry.model_copy(update={"languages": [*entry.languages, "yo"], "codes": {"yo": "x"}})
    assert entry.of_part("xnli", "dev", "de") == other.of_part("xnli", "dev", "de")
    renamed = entry.model_copy(update={"columns": entry.columns | {"first": "text"}})
    assert entry.of_part("xnli", "dev", "de") != renamed.of_part("xnli", "dev", "de")
    tatoeba = hub_datasets()["tatoeba"].of_part("tatoeba", "test", "fa")
    assert tatoeba.splits["test"].files == "tatoeba.pes/validation-*.parquet"


def test_some_languages_may_come_from_elsewhere() -> None:
    xcopa, panx = hub_datasets()["xcopa"], hub_datasets()["panx"]
    assert xcopa.languages_of("train") == ["en"]
    english, others = xcopa.of_part("xcopa", "dev", "en"), xcopa.of_part("xcopa", "dev", "qu")
    assert (english.repository, english.splits["dev"].files) == (
        "aps/super_glue",
        "copa/validation-*.parquet",
    )
    assert (others.repository, others.elsewhere) == ("cambridgeltl/xcopa", [])
    assert panx.of_part("panx", "test", "gu").splits["test"].files == "gu/test/*.parquet"
    run = jobs(["xcopa", "panx"], ["gu", "qu", "en"])
    Preconditions(run).validate()
    assert f"{run.folder}/source/xcopa/train/en" in run.fetched
    assert {f"{run.folder}/source/panx/test/{code}" for code in ("gu", "de")} <= set(run.fetched)


def test_a_version_of_its_own_has_counts_of_its_own() -> None:
    assert published("csqa", "train", "en") == 7610
    assert published("csqa", "train", "en", on_hub=True) == 9741
    assert remark("csqa", "train", "en", 9741, on_hub=True) == ""
    assert published("mnli", "train", "en", on_hub=True) == 392702


def test_all_that_the_hub_lacks_is_on_its_page() -> None:
    page = (DEFAULT.parent / "docs" / "hub.md").read_text(encoding="utf-8")
    lacking = page[page.index("## What is not there") : page.index("## Adding a data set")]
    for name in set(registry.datasets()) - set(hub_datasets()):
        assert f"`{name}`" in lacking, name


def test_only_the_jobs_that_fetch_depend_on_the_code_that_fetches() -> None:
    fetching = fingerprint.ROOT / "xstilts/data/fetching.py"
    for script in sorted((fingerprint.ROOT / "scripts").glob("*.py")):
        reached = fingerprint.sources(script)
        assert (fetching in reached) == script.stem.startswith("fetch_"), script.name


def test_what_the_hub_lacks_is_said_beforehand() -> None:
    with pytest.raises(
        DataError, match="the source `hub` has no sick/train in en, which sick needs"
    ) as caught:
        Preconditions(jobs(["xnli"], ["en"], ["sick"])).validate()
    assert "it holds anli, cosmosqa, csqa" in caught.value.hint
    with pytest.raises(DataError, match="the source `hub` has no data set 'text'"):
        Preconditions(jobs(["xquad"], ["en"], ["cmlm"])).validate()


def test_jobs_are_told_where_the_files_are_and_kept_off_the_network() -> None:
    code = "import os, sys; sys.path.insert(0, 'tests/unit'); from test_hub import jobs\n"
    code += "jobs(['xnli'], ['en']).export_environment(); print(dict(os.environ))"
    environment = {"PATH": "", "PYTHONPATH": "."}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=DEFAULT.parent, env=environment, capture_output=True
    )
    assert done.returncode == 0, done.stderr
    found = ast.literal_eval(done.stdout.decode())
    assert (found["XSTILTS_LOCK"], found["XSTILTS_SOURCE"]) == ("hub", "results/micro/source")
    assert found["XSTILTS_FOLDER_micro"] == "results/micro/source/models/micro"
    assert (found["HF_HUB_OFFLINE"], found["XSTILTS_OFFLINE"]) == ("1", "0")


def rows(path: Path, *given: dict[str, Any], names: dict[str, list[str]] | None = None) -> list[Path]:
    """A Parquet file with the names of classes as `datasets` writes them."""
    features = {name: {"names": value, "_type": "ClassLabel"} for name, value in (names or {}).items()}
    table = pa.Table.from_pylist(list(given))
    metadata = {"huggingface": json.dumps({"info": {"features": features}})}
    parquet.write_table(table.replace_schema_metadata(metadata), path)
    return [path]


def test_several_files_are_read_as_one(tmp_path: Path) -> None:
    files = [
        *rows(
            tmp_path / "a", {"premise": "p", "hypothesis": "h", "label": 1}, names={"label": ["yes", "no"]}
        ),
        *rows(
            tmp_path / "b", {"premise": "q", "hypothesis": "i", "label": -1}, names={"label": ["yes", "no"]}
        ),
    ]
    assert list(parse(files, dataset="snli", split="dev", language="en")) == [
        PairExample("snli-dev-en-0", "en", "p", "h", "no")
    ]


@pytest.mark.parametrize(
    ("dataset", "row", "message"),
    [
        (
            "xnli",
            {"premise": "p", "label": 1},
            "the column 'hypothesis' is missing; there are premise, label",
        ),
        ("xnli", {"premise": "p", "hypothesis": None, "label": 1}, "expected a text, found None"),
        (
            "csqa",
            {"id": "a", "question": "q", "choices": {"text": ["x"], "label": ["A"]}, "answerKey": "B"},
            "'B'",
        ),
        (
            "squad1",
            {"id": "a", "question": "q", "context": "none", "answers": {"text": ["x"], "answer_start": [0]}},
            "the answer 'x' does not stand in its paragraph",
        ),
        ("udpos", {"tokens": ["a", "b"], "pos_tags": [0]}, "2 words have 1 tags"),
    ],
)
def test_a_row_that_is_no_example_is_named(
    dataset: str, row: dict[str, Any], message: str, tmp_path: Path
) -> None:
    files = rows(tmp_path / "file.parquet", row)
    with pytest.raises(DataError, match=message) as caught:
        list(parse(files, dataset=dataset, split="dev", language="en"))
    assert str(files[0]) in caught.value.where


def test_what_is_not_parquet_is_named(tmp_path: Path) -> None:
    path = tmp_path / "file.parquet"
    path.write_bytes(b"PAR1 and then nothing of the kind")
    with pytest.raises(DataError, match="not Parquet"):
        list(parse([path], dataset="xnli", split="dev", language="en"))


@pytest.mark.parametrize(
    ("context", "start", "expected"),
    [
        ("a cat, a cat", 2, 2),
        ("a cat, a cat", 9, 9),
        ("a cat, a cat", 10, 9),
        ("cat", 2, 0),
        ("a cat a cat", 4, 2),
    ],
)
def test_an_answer_that_was_shifted_is_found_nearby(
    context: str, start: int, expected: int, tmp_path: Path
) -> None:
    answers = {"text": ["cat"], "answer_start": [start]}
    files = rows(tmp_path / "f", {"id": "a", "context": context, "question": "?", "answers": answers})
    (example,) = parse(files, dataset="squad1", split="dev", language="en")
    assert isinstance(example, SpanExample)
    assert example.starts == (expected,)


def test_an_unanswerable_question_and_a_withheld_label_are_kept(tmp_path: Path) -> None:
    none: dict[str, list[Any]] = {"text": [], "answer_start": []}
    files = rows(tmp_path / "f", {"id": "a", "context": "c", "question": "?", "answers": none})
    (question,) = parse(files, dataset="squad2", split="dev", language="en")
    assert isinstance(question, SpanExample)
    assert question.answers == ()
    choice = {"premise": "p", "choice1": "x", "choice2": "y", "question": "cause", "label": -1, "idx": 7}
    (withheld,) = parse(rows(tmp_path / "g", choice), dataset="xcopa", split="test", language="qu")
    assert withheld == ChoiceExample("xcopa-test-qu-7", "qu", "p", "cause", ("x", "y"), None)


def test_ids_that_repeat_give_way_to_indices(tmp_path: Path) -> None:
    row = {"context": "c", "question": "?", "answers": {"text": ["c"], "answer_start": [0]}}
    files = rows(tmp_path / "f", *({"id": "finnish-1", **row} for _ in range(2)), {"id": "thai-1", **row})
    found = [example.id for example in parse(files, dataset="tydiqa", split="train", language="fi")]
    assert found == ["tydiqa-train-fi-0", "tydiqa-train-fi-1"]


def test_a_registry_that_names_what_is_not_there_is_refused(tmp_path: Path) -> None:
    text = (registry.FOLDER / "hub.yaml").read_text(encoding="utf-8")
    path = tmp_path / "hub.yaml"
    for old, new, message in [
        ("\nxnli:", "\nxmli:", "xmli/dev is not in datasets.yaml"),
        ("[de, en, es, fr, ja, ko, zh]", "[de, en, xx]", "unknown language 'xx'"),
        ("b8dd5d7af51114dbda02c0e3f6133f332186418e", "main", "xnli.revision: .*pattern"),
    ]:
        path.write_text(text.replace(old, new), encoding="utf-8")
        with pytest.raises(RegistryError, match=message):
            hub_datasets(path)
        hub_datasets.cache_clear()
