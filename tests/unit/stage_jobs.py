"""A job of the program train_stage as its own process: two tasks, mixed with masked LM, on a tiny encoder."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
from stage_tasks import examples, part
from tiny_models import LINES

from xstilts import card, warm
from xstilts.data.storage import write_examples
from xstilts.job_settings import PretrainingJob, StageJob
from xstilts.model import checkpoint
from xstilts.model.checkpoint import Model

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


def prepare(folder: Path, model: Model) -> Path:
    """A folder with a model, examples of two tasks, and text."""
    checkpoint.save(model, folder / "mlm")
    card.write(folder / "mlm", time.monotonic())
    for name in TASKS:
        for split in ("train", "dev"):
            write_examples(folder / "data" / name / f"{split}.jsonl", examples(name))
    (folder / "corpus/text").mkdir(parents=True)
    (folder / "corpus/text/en.txt").write_text("\n".join(LINES * 3) + "\n", encoding="utf-8")
    return folder


class Job:
    """The program train_stage on the folder `begun`."""

    def __init__(self, begun: Path, place: Path, environment: dict[str, str]) -> None:
        self.begun, self.place, self.environment = begun, place, environment
        self.settings, self.seconds, self.checkpoint = SETTINGS, "0", begun / "mlm"
        self.output, self.state = place / "checkpoint", place / "state"
        self.recipe = "classification+tagging+cmlm"
        self.launcher, self.more = ["xstilts.warm"], list[str]()

    def start(self) -> subprocess.Popen[str]:
        options = {
            "checkpoint": self.checkpoint, "data": self.begun / "data", "model": "tiny", "seed": 1,
            "recipe": self.recipe, "settings": self.settings.model_dump_json(),
            "threads": 1, "device": "cpu", "code": "c", "output": self.output, "state": self.state,
            "state-seconds": self.seconds,
        }  # fmt: skip
        if self.settings.masked_lm:
            options["corpus"] = self.begun / "corpus"
        words = [word for name, value in options.items() for word in (f"--{name}", str(value))]
        command = [sys.executable, "-m", *self.launcher, "scripts/train_stage.py", *words, *self.more]
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
        forks = self.forks(process)
        time.sleep(after)
        for fork in forks:
            if fork.is_running():
                fork.send_signal(signal.SIGKILL)
        _, said = process.communicate()
        assert process.returncode in (0, warm.KILLED), said
        return said

    def forks(self, process: subprocess.Popen[str]) -> list[psutil.Process]:
        """The process that does the work, as soon as it is there."""
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
