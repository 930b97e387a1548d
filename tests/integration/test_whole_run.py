"""A whole small run: it is repeatable, nothing is left to do, and an edit rebuilds what it touches."""

import filecmp
import json
import os
import shutil
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
import yaml

from tests.integration.workflow import TINY, Clone
from xstilts.tables import read_table

TRAININGS = {"collect_incidents", "collect_study_incidents", "collect_training", "plot_training"}
STUDY = {"analyse_typology", "plot_typology", "collect_verdicts", "collect_costs", "build_report"}
AFTER_PREDICTION = {
    *("score_predictions", "collect_scores", "collect_study_scores", "check_vacuity", "evaluate_claims"),
    *STUDY,
}


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Clone:
    """A clone with a finished tiny run. Tests restore what they edit."""
    clone = Clone.make(tmp_path_factory.mktemp("first"))
    clone.build()
    return clone


@pytest.fixture
def copied(finished: Clone, tmp_path: Path) -> Clone:
    """A copy of the finished run, with Snakemake's own records, for tests that go on to build."""
    shutil.copytree(finished.folder, tmp_path / "copy")
    return Clone(tmp_path / "copy")


@pytest.fixture
def edited(finished: Clone) -> Iterator[Clone]:
    """The finished run, whose files (but for results) are restored after the test: nothing is built."""
    kept = {
        path: (path.read_bytes(), path.stat())
        for folder in ("xstilts", "scripts", "rules", "tests/integration")
        for path in (finished.folder / folder).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    yield finished
    for path, (content, _) in kept.items():
        if not path.is_file() or path.read_bytes() != content:
            path.write_bytes(content)


def overlay(clone: Clone, **changes: object) -> str:
    """The tiny configuration with some keys replaced: `run__languages=[...]` for run.languages."""
    config = yaml.safe_load((clone.folder / TINY).read_text(encoding="utf-8"))
    for key, value in changes.items():
        *path, last = key.split("__")
        section = config
        for part in path:
            section = section.setdefault(part, {})
        section[last] = value
    target = clone.folder / "tests/integration/changed.yaml"
    target.write_text(yaml.safe_dump(config), encoding="utf-8")
    return "tests/integration/changed.yaml"


def test_nothing_is_left_to_do(finished: Clone) -> None:
    assert not finished.scheduled().counts


def test_every_file_that_was_declared_is_there(finished: Clone) -> None:
    results = finished.results()
    for name in (
        "scores.tsv",
        "languages.tsv",
        "corpus.tsv",
        "fertility/micro.tsv",
        "leakage.tsv",
        "vacuity.tsv",
        "incidents.tsv",
        "training.tsv",
        "training_costs.tsv",
        "learning_curves/micro.svg",
    ):
        assert (results / name).stat().st_size > 0
    assert (results / "report.html").read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    assert (results / "studies/typology/verdict.json").is_file()


def test_claims_and_the_export_are_made_of_a_finished_run(copied: Clone) -> None:
    planned = copied.scheduled("claims", "export")
    assert planned.rules - {"claims", "export"} == {"export_tables"}  # the page has the claims
    copied.build("claims", "export")
    results = copied.results()
    claims = read_table(results / "claims.tsv")
    assert len(claims) == 20
    of_the_model = claims.loc[claims["tier"] == "paper", "verdict"]
    assert set(of_the_model) == {"not run at this tier"}
    assert (results / "export/scores.tsv").read_bytes() == (results / "scores.tsv").read_bytes()
    tests = results / "studies/typology/tests.tsv"
    assert (results / "export/tests.tsv").read_bytes() == tests.read_bytes()
    assert (results / "export/data_dictionary.tsv").is_file()
    assert not copied.scheduled("claims", "export").counts


def test_two_clean_clones_agree_to_the_byte(finished: Clone, tmp_path: Path) -> None:
    second = Clone.make(tmp_path / "second")
    second.build("studies", "scores")
    first_files = sorted(
        path.relative_to(finished.results())
        for pattern in ("scores.tsv", "predictions/**/*.*", "studies/*/tests.tsv")
        for path in finished.results().glob(pattern)
    )
    assert len(first_files) > 20
    for name in first_files:
        assert filecmp.cmp(finished.results() / name, second.results() / name, shallow=False), name


def test_a_plotting_function_rebuilds_figures_and_report(edited: Clone) -> None:
    path = "xstilts/studies/typology/figures.py"
    (edited.folder / path).write_text((edited.folder / path).read_text(encoding="utf-8") + "\n# edited\n")
    assert edited.scheduled().rules == {"plot_typology", "collect_costs", "build_report"}


def test_the_significance_level_rebuilds_the_study_and_the_report(edited: Clone) -> None:
    changed = overlay(edited, statistics__alpha=0.01)
    assert edited.scheduled(config=changed).rules == STUDY


def test_one_more_language_is_predicted_and_scored_without_training(copied: Clone) -> None:
    fewer = overlay(copied, run__languages=["en", "ar", "de", "fi", "fr", "hi", "sw", "zh"])
    copied.build("scores", config=fewer)
    for stale in copied.results().glob("predictions/**/*-ja.*"):
        stale.unlink()
    # A mark in a kept file: were it predicted again, the mark would go.
    kept = copied.results() / "predictions/micro/mnli/seed1/tatoeba/test-de.tsv"
    marked = "\n".join(reversed(kept.read_text(encoding="utf-8").split())) + "\n"
    kept.write_text(marked, encoding="utf-8")
    again = {"measure_fertility", "score_controls", "score_equal_pools", *AFTER_PREDICTION}
    planned = copied.scheduled().rules
    assert planned <= {"predict_tatoeba", "predict_udpos", *again}
    assert {"predict_tatoeba", "predict_udpos", "score_predictions"} <= planned
    copied.build("scores")
    assert kept.read_text(encoding="utf-8") == marked
    assert kept.with_name("test-ja.tsv").is_file()


def test_a_longer_recipe_trains_its_last_stage_only(edited: Clone) -> None:
    changed = overlay(edited, studies__typology__recipes=["mlm", "mnli", "mnli+udpos", "mnli-csqa"])
    planned = edited.scheduled(config=changed)
    assert planned.counts["train_stage"] == 1
    assert planned.counts["predict_tatoeba"] == 1
    assert planned.counts["generate_micro"] == 1  # csqa, which is no evaluation set
    assert planned.rules == {
        "generate_micro", "train_stage", "predict_tatoeba", "prepare_training", "collect_leakage",
        *TRAININGS, *AFTER_PREDICTION,
    }  # fmt: skip
    assert "train micro on mnli-csqa, seed 1" in planned.messages


def test_the_masked_lm_alone_is_a_study(copied: Clone) -> None:
    changed = overlay(copied, studies__typology__recipes=["mlm"], run__evaluations=[])
    assert "train_stage" not in copied.scheduled(config=changed).rules
    copied.build("results/tiny/vacuity.tsv", "results/tiny/leakage.tsv", config=changed)


def test_a_language_that_the_registry_gives_to_a_task_keeps_the_others(copied: Clone) -> None:
    kept = copied.results() / "predictions/micro/mnli/seed1/xnli/dev-de.tsv"
    before = kept.stat().st_ino
    copied.edit(
        "xstilts/registry/tasks.yaml",
        "xtreme: &xnli [ar, bg, de, el, en, es, fr,",
        "xtreme: &xnli [ar, bg, de, el, en, es, fi, fr,",
    )
    copied.build(str(kept.with_name("dev-fi.tsv").relative_to(copied.folder)))
    assert kept.stat().st_ino == before


def test_a_renamed_language_schedules_no_training(edited: Clone) -> None:
    path = edited.folder / "xstilts/registry/languages.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("Awadhi", "Avadhi"), encoding="utf-8")
    planned = edited.scheduled().rules
    assert "build_languages" in planned
    assert {"generate_micro", "pretrain_model", "train_stage"}.isdisjoint(planned)


def test_what_is_missing_is_made_again_though_all_after_it_is_there(copied: Clone) -> None:
    (copied.results() / "scores/micro/mlm/seed0/tatoeba.tsv").unlink()
    assert copied.scheduled().counts["score_predictions"] == 1
    copied.build()
    shutil.rmtree(copied.results() / "checkpoints/micro/mnli")
    assert copied.scheduled().counts["train_stage"] >= 1


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_gpu_that_is_not_there_costs_no_finished_result(copied: Clone) -> None:
    files = sorted(path for path in copied.results().rglob("*") if path.is_file())
    done = copied.snakemake(config=overlay(copied, run__device="cuda"))
    assert done.returncode != 0 and "NoGpuError" in done.stderr and "Traceback" not in done.stderr
    assert sorted(path for path in copied.results().rglob("*") if path.is_file()) == files


def test_a_training_job_that_is_killed_goes_on_where_it_was(copied: Clone) -> None:
    checkpoint = "results/tiny/checkpoints/micro/mnli/seed1"
    states = copied.results() / "state"
    many = {"training__epochs": 40, "run__threads": 1}
    killed = copied.started(checkpoint, config=overlay(copied, **many, run__state_minutes=1e-6))
    while len(list(states.rglob("*-*.safetensors"))) < 2 and killed.poll() is None:
        time.sleep(0.02)
    os.killpg(killed.pid, signal.SIGKILL)
    killed.communicate()
    assert list(states.rglob("*-*.safetensors"))
    rarely = overlay(copied, **many)  # how often a state is kept is no reason to begin anew
    copied.build("--unlock", config=rarely)
    copied.build(checkpoint, config=rarely)
    log = copied.results() / "logs/checkpoints/micro/mnli/seed1.log"
    assert "resumed after step" in log.read_text(encoding="utf-8")
    assert not list(states.rglob("*.safetensors"))
    files = ["model.safetensors", "heads.safetensors", "training_log.tsv"]
    resumed = [(copied.folder / checkpoint / name).read_bytes() for name in files]
    shutil.rmtree(copied.folder / checkpoint)
    copied.build(checkpoint, config=rarely)
    assert "resumed" not in log.read_text(encoding="utf-8")
    assert [(copied.folder / checkpoint / name).read_bytes() for name in files] == resumed


def test_targets_that_the_plan_lacks_are_refused_without_a_traceback(copied: Clone) -> None:
    for name in (
        "checkpoints/micro/mnli+mnli/seed1",
        "checkpoints/micro/mnli/seed01",
        "scores/micro/mnli/seed1/udpos.tsv",
    ):
        done = copied.snakemake("--dry-run", f"results/tiny/{name}")
        assert done.returncode != 0 and "Traceback" not in done.stderr, done.stderr


def test_continued_masked_lm_goes_on_from_its_prefix(copied: Clone) -> None:
    recipes = ["mlm", "mnli", "mnli+udpos", "mnli-cmlm", "cmlm+mnli"]
    changed = overlay(copied, studies__typology__recipes=recipes)
    planned = copied.scheduled(config=changed)
    assert planned.counts["continue_pretraining"] == planned.counts["train_stage"] == 1
    assert {"pretrain_model", "prepare_text"}.isdisjoint(planned.rules)
    checkpoints = copied.results() / "checkpoints/micro"
    copied.build(*(f"results/tiny/checkpoints/micro/{name}/seed1" for name in recipes[-2:]), config=changed)
    heads = [json.loads((checkpoints / name / "seed1/heads.json").read_text()) for name in recipes[-2:]]
    assert [set(each) for each in heads] == [{"mlm"}, {"mlm", "mnli"}]


def test_the_learning_rate_of_a_task_retrains_the_recipes_with_it(edited: Clone) -> None:
    changed = overlay(edited, training__learning_rate={"*": 0.0005, "*/*/udpos": 0.0001})
    planned = edited.scheduled(config=changed)
    trained = {message for message in planned.messages if message.startswith("train ")}
    assert trained == {"train micro on udpos, seed 1", "train micro on mnli+udpos, seed 1"}  # not mnli
    assert "pretrain_model" not in planned.rules


def test_an_unrelated_task_schedules_no_training(edited: Clone) -> None:
    entry = (
        "training:\n"
        "  another:\n"
        "    type: span\n"
        "    train: {dataset: mlqa, split: dev}\n"
        "    dev: {holdout: 0.2}\n"
    )
    edited.edit("xstilts/registry/tasks.yaml", "training:\n  mnli:", entry + "  mnli:")
    # Claims count the registry's tasks; nothing else reads the whole of it.
    assert edited.scheduled().rules == {"evaluate_claims", "build_report"}


def test_the_paper_plans_no_micro_model(finished: Clone) -> None:
    planned = finished.scheduled(config="config/paper.yaml")
    assert planned.counts["train_stage"] > 50
    assert "train xlmr_large on csqa, seed 5" in planned.messages
    assert not any("micro" in message for message in planned.messages)
    assert {"pretrain_model", "generate_micro", "train_tokenizer"}.isdisjoint(planned.rules)
