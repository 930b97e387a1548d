"""Two processes (by gloo) train what one does; the weights of each whole, or in parts."""

import os
import signal
import time
from pathlib import Path

import kinds_of_tokenizers
import numpy as np
import pandas as pd
import psutil
import pytest
import torch
from safetensors.numpy import load_file
from stage_jobs import ROOT, SETTINGS, Job, prepare
from stage_tasks import LABELS
from tiny_models import LINES, publish_mt5, tiny

from xstilts.model import importing
from xstilts.model.processes import Processes

WITHIN = 2e-5  # of weights up to 1, after 48 steps: another order of sums
TWO = ["xstilts.launch", "--processes", "2", "--device", "cpu"]


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory, tokens: Path) -> Path:
    """What the job starts from; without dropout, which differs between processes."""
    return prepare(tmp_path_factory.mktemp("processes"), tiny(tokens, dropout=0.0))


def job(begun: Path, place: Path, *more: str, processes: int = 2) -> Job:
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    made = Job(begun, place, environment)
    made.seconds, made.more = "3600", list(more)
    if processes == 2:
        made.launcher = TWO
    return made


@pytest.fixture(scope="module")
def alone(begun: Path, tmp_path_factory: pytest.TempPathFactory) -> Job:
    """Trained by one process."""
    made = job(begun, tmp_path_factory.mktemp("alone"), processes=1)
    made.run()
    return made


@pytest.mark.parametrize("more", [[], ["--sharded"]])
def test_two_processes_train_what_one_does(begun: Path, tmp_path: Path, alone: Job, more: list[str]) -> None:
    two = job(begun, tmp_path / "whole", *more)
    two.run()
    assert_alike(alone, two)
    assert two.card()["processes"] == 2
    assert two.card()["dtype"] == "float32"

    stopped = job(begun, tmp_path / "stopped", *more)
    _stop(stopped)
    assert "resumed after step" in stopped.run()
    assert stopped.bytes == two.bytes
    assert not stopped.state.exists()


def assert_alike(alone: Job, two: Job) -> None:
    """The same files, and the same weights but for rounding."""
    assert two.bytes.keys() == alone.bytes.keys()
    for name, content in two.bytes.items():
        if name.endswith(".json"):
            assert content == alone.bytes[name], name
    for name in ("model.safetensors", "heads.safetensors"):
        first, second = load_file(alone.output / name), load_file(two.output / name)
        assert first.keys() == second.keys()
        for key, values in first.items():
            np.testing.assert_allclose(second[key], values, rtol=0, atol=WITHIN, err_msg=key)
    logs = [pd.read_csv(each.output / "training_log.tsv", sep="\t") for each in (alone, two)]
    pd.testing.assert_frame_equal(logs[0], logs[1], rtol=1e-4)


def test_an_mt5_in_parts_trains_what_a_whole_one_does(tmp_path: Path) -> None:
    published = kinds_of_tokenizers.make("mt5", tmp_path / "published", [*LINES, *LABELS["tagging"]])
    publish_mt5(published, dropout_rate=0.0)
    begun = prepare(tmp_path, importing.from_folder(published))
    runs = [job(begun, tmp_path / "one", processes=1), job(begun, tmp_path / "two", "--sharded")]
    for each in runs:
        each.recipe, each.settings = "classification+tagging", SETTINGS.model_copy(update={"masked_lm": None})
        each.run()
    assert_alike(*runs)


def _stop(stopped: Job) -> None:
    """SIGTERM as soon as the first state is kept: both processes keep the next one, and end."""
    stopped.seconds = "0"
    process = stopped.start()
    while not list(stopped.state.rglob("*-*.safetensors")) and process.poll() is None:
        time.sleep(0.02)
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 143, said
    assert said.count("its state is kept") == 1


@pytest.mark.parametrize("who", ["a worker", "the launcher"])
def test_if_one_process_dies_the_others_end(begun: Path, tmp_path: Path, who: str) -> None:
    killed = job(begun, tmp_path)
    killed.seconds = "0"
    process = killed.start()
    while not list(killed.state.rglob("*-*.safetensors")) and process.poll() is None:
        time.sleep(0.02)
    workers = psutil.Process(process.pid).children()
    assert len(workers) == 2
    (workers[1] if who == "a worker" else process).kill()
    process.communicate(timeout=60)
    assert process.returncode not in (0, None)
    _, alive = psutil.wait_procs(workers, timeout=10)
    assert not alive


@pytest.mark.parametrize("count", [1, 2, 3, 4])
@pytest.mark.parametrize("micro", [1, 2, 3, 5, 8])
def test_each_micro_batch_counts_once(monkeypatch: pytest.MonkeyPatch, count: int, micro: int) -> None:
    """The mean over processes of what is dealt is the sum of all, in as many turns for everyone."""
    monkeypatch.setattr(Processes, "__post_init__", lambda self: None)
    monkeypatch.setattr(Processes, "_exchanged", lambda self, is_last: None)
    losses = [lambda i=i: torch.tensor(float(2**i)) for i in range(micro)]
    totals, turns = [], set()
    for rank in range(count):
        dealt = list(Processes(torch.device("cpu"), rank=rank, count=count).dealt(losses))
        turns.add(len(dealt))
        totals.append(sum(float(compute()) * weight for compute, weight, _ in dealt))
    assert sum(totals) / count == 2**micro - 1
    assert len(turns) == 1
