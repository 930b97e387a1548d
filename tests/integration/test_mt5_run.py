"""A run with a tiny mT5 of a folder, from its import to its scores, and what it is not made for."""

import json
import string
from pathlib import Path

import pytest
import yaml

from tests.integration.workflow import TINY, Clone
from tests.unit.kinds_of_tokenizers import make
from tests.unit.tiny_models import LINES, publish_mt5
from xstilts.tables import read_table

OVERLAY = "mt5.yaml"
CONFIG = f"{TINY} {OVERLAY}"
TASKS = ["tatoeba", "udpos", "xnli", "xquad"]
ALPHABET = [string.ascii_uppercase, string.ascii_lowercase, string.punctuation]


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Clone:
    """A clone with an mT5 in the hub's format, and a run of every kind of task that it answers."""
    made = Clone.make(tmp_path_factory.mktemp("clone"))
    publish_mt5(make("mt5", made.folder / "model", [*LINES, *ALPHABET * 3]))
    config = {
        "run": {
            "models": ["tiny_mt5"],
            "languages": ["en", "de"],
            "studies": [],
            "evaluations": [{"recipes": ["mlm"], "tasks": TASKS}],
        },
        "data": {"micro": {"languages": ["de"]}},
        "models": {"tiny_mt5": {"source": "folder", "folder": "model"}},
        "training": {"max_length": {"*": 128, "tiny_mt5/*/*": 96}},
    }
    (made.folder / OVERLAY).write_text(yaml.safe_dump(config), encoding="utf-8")
    return made


@pytest.mark.slow
def test_from_the_folder_to_the_scores(clone: Clone) -> None:
    clone.build("scores", config=CONFIG)
    table = read_table(clone.results() / "scores.tsv")
    own = table[table["model"] == "tiny_mt5"]
    assert sorted(own["task"].unique()) == TASKS
    assert set(own["recipe"]) == {"mlm", "untrained", "mnli", "squad1", "udpos"}
    assert set(own["language"]) == {"en", "de"}
    assert own["value"].between(0, 1).all()
    trained = clone.results() / "checkpoints/tiny_mt5/udpos/seed1"
    assert json.loads((trained / "heads.json").read_text(encoding="utf-8"))["udpos"]["type"] == "tagging"
    cards = [json.loads(file.read_text(encoding="utf-8")) for file in parameters_of(clone)]
    assert len({card["parameters"] for card in cards}) == 1
    assert clone.scheduled("scores", config=CONFIG).rules == set()


def parameters_of(clone: Clone) -> list[Path]:
    """The cards of all its checkpoints."""
    return sorted((clone.results() / "checkpoints/tiny_mt5").glob("*/seed*/card.json"))


def test_continued_masked_lm_is_refused_when_planned(clone: Clone) -> None:
    (clone.folder / "cmlm.yaml").write_text(
        "run: {evaluations: [{recipes: [mnli-cmlm], tasks: [tatoeba]}]}\n", encoding="utf-8"
    )
    done = clone.snakemake("--dry-run", "scores", config=f"{CONFIG} cmlm.yaml")
    said = done.stdout + done.stderr
    assert done.returncode != 0
    assert "ConfigError: a text-to-text model (mt5) has no masked LM" in said
    assert "the recipe mnli-cmlm with the model tiny_mt5" in said
    assert "Traceback" not in said
