"""A clone of the repository in which tests run Snakemake."""

import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
TINY = "tests/integration/tiny.yaml"


@dataclass(frozen=True)
class Clone:
    """A copy of the tracked and new files of the repository, without its results."""

    folder: Path

    @classmethod
    def make(cls, folder: Path) -> "Clone":
        """Copy the repository to `folder`."""
        listed = subprocess.run(
            ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
            cwd=REPOSITORY,
            capture_output=True,
            text=True,
            check=True,
        )
        for name in filter(None, listed.stdout.split("\0")):
            if (REPOSITORY / name).is_file():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(REPOSITORY / name, folder / name)
        return cls(folder)

    def snakemake(self, *arguments: str, config: str = TINY) -> subprocess.CompletedProcess[str]:
        """Run Snakemake as a person would, with the overlays of `config`, separated by spaces."""
        with self.started(*arguments, config=config) as process:
            printed, said = process.communicate()
        return subprocess.CompletedProcess(process.args, process.returncode, printed, said)

    def started(self, *arguments: str, config: str = TINY) -> subprocess.Popen[str]:
        """The same, in a process group of its own, while it runs."""
        overlays = ["--cores", "2", "--configfile", *config.split()]
        return subprocess.Popen(
            [sys.executable, "-m", "snakemake", *arguments, *overlays],
            cwd=self.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=self.environment(),
            start_new_session=True,
        )

    def environment(self) -> dict[str, str]:
        """The environment of a job: the clone's own package comes first."""
        return {**os.environ, "PYTHONPATH": str(self.folder)}

    def build(self, *arguments: str, config: str = TINY) -> None:
        """Run Snakemake and insist that it succeeds."""
        done = self.snakemake(*arguments, config=config)
        assert done.returncode == 0, done.stdout + done.stderr

    def scheduled(self, *arguments: str, config: str = TINY) -> "Scheduled":
        """What a dry run would do."""
        done = self.snakemake("--dry-run", *arguments, config=config)
        assert done.returncode == 0, done.stdout + done.stderr
        return Scheduled.parse(done.stdout + done.stderr)

    def edit(self, name: str, old: str, new: str) -> None:
        """Replace a piece of a file, which has to be there once."""
        path = self.folder / name
        text = path.read_text(encoding="utf-8")
        assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {name}"
        path.write_text(text.replace(old, new), encoding="utf-8")

    def results(self, run: str = "tiny") -> Path:
        """The folder of a run's results."""
        return self.folder / "results" / run


@dataclass(frozen=True)
class Scheduled:
    """The jobs of a dry run: how many of each rule, and the message of each."""

    counts: Counter[str]
    messages: list[str]

    @classmethod
    def parse(cls, text: str) -> "Scheduled":
        """Read Snakemake's own account."""
        table = re.search(r"Job stats:\njob +count\n-+ +-+\n(.*?)\ntotal", text, flags=re.DOTALL)
        rows = [line.split() for line in table.group(1).splitlines()] if table else []
        counts = Counter({rule: int(count) for rule, count in rows})
        return cls(counts, re.findall(r"^Job \d+: (.*)$", text, flags=re.MULTILINE))

    @property
    def rules(self) -> set[str]:
        """The rules that have a job; targets, which run nothing, are left out."""
        return {rule for rule in self.counts if rule not in {"all", "studies", "study_typology", "scores"}}


LIGHT = """
import runpy, sys

class Refusal:
    def find_spec(self, name, path=None, target=None):
        if name in ("torch", "transformers"):
            raise AssertionError(f"a light rule imports {name}")

sys.meta_path.insert(0, Refusal())
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


def light(script: str, *arguments: str) -> list[str]:
    """The command that runs a script of a light rule, which fails where it imports torch or transformers."""
    return [sys.executable, "-c", LIGHT, str(REPOSITORY / "scripts" / script), *arguments]
