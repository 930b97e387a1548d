"""The configuration: what is shipped is valid, and what is not valid is named by its key."""

import copy
import itertools
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import BaseModel

from xstilts import settings, varied
from xstilts.errors import ConfigError
from xstilts.plan import Plan
from xstilts.studies.settings import StudySettings

ROOT = Path(__file__).parents[2]
DEFAULT = ROOT / "config.yaml"
OVERLAYS = sorted((ROOT / "config").glob("*.yaml"))


def changed(key: str, value: Any) -> dict[str, Any]:
    """The default configuration with one key set."""
    config: dict[str, Any] = copy.deepcopy(yaml.safe_load(DEFAULT.read_text(encoding="utf-8")))
    *path, last = key.split(".")
    section = config
    for part in path:
        section = section[part]
    section[last] = value
    return config


def test_the_default_is_valid() -> None:
    assert settings.read(DEFAULT).run.name == "micro"


@pytest.mark.parametrize("overlay", OVERLAYS, ids=lambda path: path.stem)
def test_every_overlay_makes_a_plan(overlay: Path) -> None:
    plan = Plan(settings.read(DEFAULT, overlay))
    assert plan.cells or plan.scores_are_given
    for model, recipe, _ in plan.checkpoints:
        if recipe not in ("mlm", "untrained"):
            plan.stage_settings(model, recipe)
    for cell in plan.cells:
        plan.prediction_settings(cell.model, cell.recipe, cell.task)


def test_presets_overlay_the_paper(tmp_path: Path) -> None:
    paper = ROOT / "config" / "paper.yaml"
    xtreme = Plan(settings.read(DEFAULT, paper, ROOT / "config/presets/xtreme.yaml"))
    mnli, squad = (xtreme.stage_settings("xlmr_large", name) for name in ("mnli", "squad1"))
    assert (mnli.learning_rate, mnli.parts["mnli"].epochs, mnli.parts["mnli"].max_length) == (3e-5, 5, 128)
    assert (squad.learning_rate, squad.parts["squad1"].epochs) == (3e-5, 3)
    assert (squad.parts["squad1"].max_length, squad.parts["squad1"].batch_size) == (384, 32)
    overlay = tmp_path / "overlay.yaml"
    overlay.write_text("run: {models: [xlmr_large, mt5_small, mt5_xxl]}\n", encoding="utf-8")
    whole = Plan(settings.read(DEFAULT, paper, ROOT / "config/presets/mt5.yaml", overlay))
    small, large = whole.stage_settings("mt5_small", "mnli"), whole.stage_settings("mt5_xxl", "mnli")
    assert (small.learning_rate, small.gradient_checkpointing) == (1e-4, False)
    assert (large.learning_rate, large.gradient_checkpointing) == (1e-4, True)
    assert whole.stage_settings("xlmr_large", "mnli") == Plan(settings.read(DEFAULT, paper)).stage_settings(
        "xlmr_large", "mnli"
    )


def test_an_overlay_merges_maps_and_replaces_lists(tmp_path: Path) -> None:
    overlay = tmp_path / "overlay.yaml"
    overlay.write_text(
        "run: {seeds: [7, 8]}\ntraining: {epochs: {'*': 2, '*/*/mnli': 5}}\n", encoding="utf-8"
    )
    merged, default = settings.read(DEFAULT, overlay), settings.read(DEFAULT)
    assert merged.run.seeds == [7, 8]
    assert isinstance(default.training.epochs, dict)
    assert merged.training.epochs == {**default.training.epochs, "*": 2, "*/*/mnli": 5}
    assert merged.run.languages == default.run.languages
    assert merged.training.batch_size == default.training.batch_size


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("training.epoch", 3, "training.epoch: unknown key"),
        ("run.sedes", [1], "run.sedes: unknown key"),
        ("training.epochs", "many", "training.epochs: .*number.*'many'"),
        ("training.epochs", -1, "training.epochs: .*greater than 0.*-1"),
        ("training.epochs", {"*": 0}, r"training.epochs.\*: .*greater than 0"),
        ("training.epochs", {"*/*/mnli": 1}, "training.epochs: .*fallback"),
        ("training.epochs", {"*": 1, "mnli": 2}, "training.epochs: .*'mnli' is not of the form"),
        ("training.batch_size", 0, "training.batch_size"),
        ("training.selections", 0, "training.selections"),
        ("training.max_length", 4, "training.max_length"),
        ("training.warmup", 1.5, "training.warmup"),
        ("run.threads", 0, "run.threads"),
        ("run.seeds", [], "run.seeds"),
        ("run.languages", ["en", False], "run.languages.1: put codes in quotes: YAML reads a bare no"),
        ("run.split", "train", "run.split"),
        ("run.without", ["ccg", "ccg"], "without names ccg twice"),
        ("run.seeds", [1, 1], "seeds names 1 twice"),
        ("run.models", ["micro", "micro"], "models names micro twice"),
        ("run.device", "tpu", "run.device"),
        ("run.studies", ["astrology"], "run.studies.0"),
        ("data.source", "mirror", "needs `mirror`"),
        ("models.micro.architecture.heads", 3, "not a multiple of heads"),
        ("models.micro.retrieval_layer", 99, "retrieval_layer"),
        ("models.micro.source", "hub", "needs `repository`"),
        ("statistics.alpha", 2, "statistics.alpha"),
    ],
)
def test_a_fault_names_its_key(key: str, value: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        settings.load(changed(key, value))
    assert "\n" not in caught.value.what


def test_all_faults_are_told_at_once() -> None:
    config = changed("training.epochs", -1)
    config["run"]["colour"] = "red"
    with pytest.raises(ConfigError, match=r"run.colour.*training.epochs|training.epochs.*run.colour"):
        settings.load(config)


def keys_of(section: BaseModel, prefix: str = "") -> set[str]:
    """Dotted names of all keys of a section; the source of a model decides which of its keys it needs."""
    found = set()
    for name, value in section:
        values = value if name == "models" and isinstance(value, dict) else {}
        found |= {f"{prefix}{name}.{entry}" for entry in values}
        if isinstance(value, BaseModel):
            found |= keys_of(value, f"{prefix}{name}.")
        elif not values:
            found.add(prefix + name)
    return found


def test_the_default_states_and_comments_every_key() -> None:
    text = DEFAULT.read_text(encoding="utf-8")
    stated = yaml.safe_load(text)
    shared = set(StudySettings.model_fields) - {"tasks"}  # of every study, and stated once, above them
    assert all(f"{name}" in text.split("\nstudies:")[0].rsplit("\n\n", 1)[1] for name in shared)
    for key in sorted(keys_of(settings.read(DEFAULT))):
        if key.startswith("studies.") and key.rsplit(".", 1)[1] in shared:
            continue
        section = stated
        for part in key.split("."):
            assert part in section, f"config.yaml does not state {key}"
            section = section[part]
    lines = text.splitlines()
    bare = [
        line
        for before, line in itertools.pairwise(lines)
        if ":" in line
        and "#" not in line
        and not line.rstrip().endswith((":", "-"))
        and not before.lstrip().startswith("#")
    ]
    assert len(bare) <= 8, bare


def test_no_overlay_inherits_what_the_default_says_of_a_task() -> None:
    """Maps are merged, so a pattern of the default that names no model would hold in every other run."""

    def patterns(section: Any) -> list[str]:
        if not isinstance(section, dict):
            return []
        return [key for key in section if "/" in key] + [
            found for part in section.values() for found in patterns(part)
        ]

    found = patterns(yaml.safe_load(DEFAULT.read_text(encoding="utf-8")))
    assert found
    assert [pattern for pattern in found if varied.parts(pattern)[0] == varied.ANY] == []
