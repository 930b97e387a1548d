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

import psutil
import pytest
from stage_tasks import examples, part
from tiny_models import LINES, tiny

from xstilts import card, warm
from xstilts.data.storage import write_examples
from xstilts.job_settings import PretrainingJob, StageJob
from xstilts.model import checkpoint

ROOT = Path(__file__).resolve().parents[2]
TASKS = ("classification", "tagging")
SETTINGS = StageJob(
    learning_rate=3e-3,
    warmup=0.1,
    weight_decay=0.01,
    clip=1.0,
    selections=6,
    mixture_temperature=2.0,
    parts={name: part(name, epochs=9, batch_tokens=100).settings for name in TASKS},
    masked_lm=PretrainingJob(
        steps=12, learning_rate=1.0, batch_lines=4, batch_pairs=1, max_length=32, batch_tokens=60
    ),
)


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory, tokens: Path) -> Path:
    """A folder with a masked LM, examples of two tasks, and text."""
    folder = tmp_path_factory.mktemp("resume")
    checkpoint.save(tiny(tokens), folder / "mlm")
    card.write(folder / "mlm", time.monotonic())
    for name in TASKS:
        for split in ("train", "dev"):
            write_examples(folder / "data" / name / f"{split}.jsonl", examples(name))
    (folder / "corpus/text").mkdir(parents=True)
    (folder / "corpus/text/en.txt").write_text("\n".join(LINES * 3) + "\n", encoding="utf-8")
    return folder


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


class Job:
    """The program train_stage on the folder `begun`."""

    def __init__(self, begun: Path, place: Path, environment: dict[str, str]) -> None:
        self.begun, self.place, self.environment = begun, place, environment
        self.settings, self.seconds, self.checkpoint = SETTINGS, "0", begun / "mlm"
        self.output, self.state = place / "checkpoint", place / "state"

    def start(self) -> subprocess.Popen[str]:
        options = {
            "checkpoint": self.checkpoint, "data": self.begun / "data", "model": "tiny", "seed": 1,
            "recipe": "classification+tagging+cmlm", "settings": self.settings.model_dump_json(), "threads": 1,
            "device": "cpu", "code": "c", "output": self.output, "state": self.state,
            "state-seconds": self.seconds, "corpus": self.begun / "corpus",
        }  # fmt: skip
        words = [word for name, value in options.items() for word in (f"--{name}", str(value))]
        command = [sys.executable, "-m", "xstilts.warm", "scripts/train_stage.py", *words]
        return subprocess.Popen(command, cwd=ROOT, env=self.environment, stderr=subprocess.PIPE, text=True)

    def run(self) -> str:
        """To its end; what it says."""
        process = self.start()
        _, said = process.communicate()
        assert process.returncode == 0, said
        return said

    def kill(self, after: float) -> str:
        """Kill -9 after so many seconds, if it is still at work; what it has said."""
        process = self.start()
        forks = self._forks(process)
        time.sleep(after)
        for fork in forks:
            if fork.is_running():
                fork.send_signal(signal.SIGKILL)
        _, said = process.communicate()
        assert process.returncode in (0, warm.KILLED), said
        return said

    def _forks(self, process: subprocess.Popen[str]) -> list[psutil.Process]:
        while process.poll() is None:
            if found := psutil.Process(int(self.environment["WARM_PROCESS"])).children():
                return found
            time.sleep(0.001)
        return []

    @property
    def bytes(self) -> dict[str, bytes]:
        """All that it wrote but for the card, which tells how long it took."""
        return {file.name: file.read_bytes() for file in self.output.iterdir() if file.name != card.FILE}

    def card(self) -> dict[str, object]:
        """The card without what the clock and the memory say."""
        clocks = ("seconds", "per_second", "mebibytes", "mib", "kilojoules")
        return {name: value for name, value in card.read(self.output).items() if not name.endswith(clocks)}


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
    [fork] = job._forks(process)
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
    [fork] = job._forks(process)
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
