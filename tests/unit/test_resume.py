"""Interrupted jobs: the programs that train are killed for real, and end as if they had not been."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from stage_jobs import ROOT, SETTINGS, Job, prepare
from stage_tasks import examples
from tiny_models import tiny

from xstilts import card, warm
from xstilts.data.storage import write_examples
from xstilts.model import checkpoint


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory, tokens: Path) -> Path:
    """What the job starts from."""
    return prepare(tmp_path_factory.mktemp("resume"), tiny(tokens))


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """A warm process, so that a job begins at once."""
    folder = tmp_path_factory.mktemp("w")
    made = os.environ | {
        warm.FOLDER: str(folder), warm.OWNER: str(os.getpid()), warm.THREADS: "1", "PYTHONPATH": str(ROOT),
    }  # fmt: skip
    server = subprocess.Popen(
        [sys.executable, "-m", "xstilts.warm", "--serve", str(folder / "1")], cwd=ROOT, env=made
    )
    while not (folder / "1").exists():
        time.sleep(0.05)
        assert server.poll() is None
    yield made | {"WARM_PROCESS": str(server.pid)}
    server.kill()
    server.wait()


@pytest.fixture(scope="module")
def whole(begun: Path, tmp_path_factory: pytest.TempPathFactory, environment: dict[str, str]) -> Job:
    """The same, never interrupted, and without a state."""
    job = Job(begun, tmp_path_factory.mktemp("whole"), environment)
    job.seconds = "3600"
    job.run()
    return job


def test_killed_at_random_moments(begun: Path, tmp_path: Path, whole: Job) -> None:
    start = time.monotonic()
    reference = Job(begun, tmp_path / "reference", whole.environment)
    reference.run()
    seconds = time.monotonic() - start
    assert reference.bytes == whole.bytes, "keeping states changes nothing"
    generator = random.Random(1)
    resumed = 0
    for number in range(20):
        job = Job(begun, tmp_path / str(number), whole.environment)
        job.kill(generator.uniform(0, seconds))
        kept = list(job.state.rglob("*-*.safetensors"))
        said = job.run()
        assert bool(kept) == ("resumed after step" in said)
        resumed += bool(kept)
        assert job.bytes == whole.bytes
        assert job.card() == whole.card()
        assert not job.state.exists()
    assert resumed >= 5, "most kills come in the midst of the training"


def test_killed_again_and_again(begun: Path, tmp_path: Path, whole: Job) -> None:
    job, generator = Job(begun, tmp_path, whole.environment), random.Random(2)
    for _ in range(8):
        job.kill(generator.uniform(0.2, 1.2))
    job.run()
    assert job.bytes == whole.bytes


def test_on_sigterm_it_keeps_its_state_and_ends(begun: Path, tmp_path: Path, whole: Job) -> None:
    job = Job(begun, tmp_path, whole.environment)
    job.seconds = "3600"
    process = job.start()
    [fork] = job.forks(process)
    while not _handles_sigterm(fork.pid):
        time.sleep(0.01)
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate()
    assert process.returncode == 143, said
    assert "its state is kept" in said
    assert len(list(job.state.rglob("*-*.safetensors"))) == 1
    assert "resumed after step" in job.run()
    assert job.bytes == whole.bytes


def _handles_sigterm(process: int) -> bool:
    """Whether the training has begun, which then ends by itself."""
    status = Path(f"/proc/{process}/status").read_text()
    caught = next(line for line in status.splitlines() if line.startswith("SigCgt"))
    return bool(int(caught.split()[1], 16) >> (signal.SIGTERM - 1) & 1)


def interrupted(begun: Path, place: Path, whole: Job) -> Job:
    """A job that has been killed when it had two states."""
    job = Job(begun, place, whole.environment)
    process = job.start()
    [fork] = job.forks(process)
    while len(list(job.state.rglob("*-*.safetensors"))) < 2 and process.poll() is None:
        time.sleep(0.01)
    fork.send_signal(signal.SIGKILL)
    process.communicate()
    assert len(list(job.state.rglob("*-*.safetensors"))) >= 2
    return job


@pytest.mark.parametrize("fault", ["truncated", "altered", "both"])
def test_a_damaged_state_is_named_and_the_one_before_it_used(
    begun: Path, tmp_path: Path, whole: Job, fault: str
) -> None:
    job = interrupted(begun, tmp_path, whole)
    *_, before, latest = sorted(job.state.rglob("*-*.safetensors"))
    content = bytearray(latest.read_bytes())
    content[len(content) // 2] ^= 1
    latest.write_bytes(content if fault == "altered" else content[: len(content) // 2])
    if fault == "both":
        before.write_bytes(b"")
    said = job.run()
    assert f"damaged state, not used: {latest}" in said
    assert ("resumed after step" in said) == (fault != "both")
    assert job.bytes == whole.bytes


@pytest.mark.parametrize("change", ["settings", "weights", "data", "nothing"])
def test_the_state_of_another_training_is_never_resumed(
    begun: Path, tmp_path: Path, tokens: Path, whole: Job, change: str
) -> None:
    job = interrupted(begun, tmp_path / "job", whole)
    if change == "settings":
        job.settings = SETTINGS.model_copy(update={"learning_rate": 1e-3})
    if change == "weights":
        job.checkpoint = tmp_path / "mlm"
        checkpoint.save(tiny(tokens, seed=2), job.checkpoint)
        card.write(job.checkpoint, time.monotonic())
    if change == "data":
        job.begun = tmp_path / "begun"
        job.begun.mkdir()
        for name in ("data", "corpus"):
            shutil.copytree(begun / name, job.begun / name)
        few = [replace(example, id=f"x{example.id}") for example in examples("tagging")]
        write_examples(job.begun / "data/tagging/train.jsonl", few[:-1])
    assert ("resumed" in job.run()) == (change == "nothing")
    if change == "nothing":
        return
    clean = Job(job.begun, tmp_path / "clean", whole.environment)
    clean.settings, clean.checkpoint = job.settings, job.checkpoint
    clean.run()
    assert job.bytes == clean.bytes
    assert json.dumps(job.card(), sort_keys=True) == json.dumps(clean.card(), sort_keys=True)
