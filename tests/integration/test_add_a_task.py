"""docs/add-a-task.md, carried out step by step in a clone."""

import csv
import os
import random
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.integration.workflow import REPOSITORY, Clone

PAGE = REPOSITORY / "docs" / "add-a-task.md"
LANGUAGES = ("en", "ar", "hi", "sw", "zh")
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
STORIES = {"train": 360, "eval": 12}


def test_every_step_of_the_page_works(tmp_path: Path) -> None:
    clone = Clone.make(tmp_path / "clone")
    make_mirror(clone, tmp_path / "mirror")
    (clone.folder / ".venv").symlink_to(sys.prefix)
    blocks = BLOCK.findall(PAGE.read_text(encoding="utf-8"))
    assert len(blocks) == 9
    for kind, block in blocks:
        if kind == "sh":
            run(clone, block)
        else:
            write(clone.folder, block)
    with (clone.results("xstorycloze") / "scores.tsv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream, delimiter="\t"))
    found = {(row["recipe"], row["language"]) for row in rows if row["metric"] == "accuracy"}
    assert found == {
        (recipe, language) for recipe in ("xstorycloze", "csqa-xstorycloze") for language in LANGUAGES
    }
    assert {row["n"] for row in rows} == {str(STORIES["eval"])}


def write(folder: Path, block: str) -> None:
    """What a block's first line says: a new file, the end of one, or after a line of one."""
    where, _, text = block.partition("\n")
    if match := re.fullmatch(r"# new file (\S+)", where):
        assert not (folder / match[1]).exists()
        (folder / match[1]).write_text(text, encoding="utf-8")
    elif match := re.fullmatch(r"# at the end of (\S+)", where):
        path = folder / match[1]
        path.write_text(path.read_text(encoding="utf-8") + text, encoding="utf-8")
    elif match := re.fullmatch(r'# in (\S+), after "(.+)"', where):
        path = folder / match[1]
        old = path.read_text(encoding="utf-8")
        assert old.count(f"\n{match[2]}\n") == 1
        path.write_text(old.replace(f"\n{match[2]}\n", f"\n{match[2]}\n{text}"), encoding="utf-8")
    else:
        pytest.fail(f"the page does not say where this goes: {where}")


def run(clone: Clone, commands: str) -> None:
    """Commands of the page, in the clone."""
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", commands],
        cwd=clone.folder,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(clone.folder)},
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def make_mirror(clone: Clone, mirror: Path) -> None:
    """The text and the CommonsenseQA of a small micro-XTREME, and stories in XStoryCloze's format."""
    folders = ["text", "csqa_v1.0"]
    clone.build(*(f"results/tiny/source/{name}" for name in folders))
    for name in folders:
        shutil.copytree(clone.results() / "source" / name, mirror / name)
    generator = random.Random(1)
    (mirror / "xstorycloze").mkdir()
    for language in LANGUAGES:
        words = (mirror / "text" / f"{language}.txt").read_text(encoding="utf-8").split()
        for split, number in STORIES.items():
            rows = ["InputStoryid\tS1\tS2\tS3\tS4\tQuiz1\tQuiz2\tAnswerRightEnding"]
            for key in range(number):
                sentences = [" ".join(generator.sample(words, 5)) for _ in range(6)]
                rows.append("\t".join([f"{split}{key}", *sentences, str(generator.choice((1, 2)))]))
            path = mirror / "xstorycloze" / f"spring2016.val.{language}.tsv.split_20_80_{split}.tsv"
            path.write_text("\n".join(rows) + "\n", encoding="utf-8")
