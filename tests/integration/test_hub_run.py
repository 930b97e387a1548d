"""A run on the hub's data: `fetch` needs the hub (a stand-in), all else does not."""

from pathlib import Path

import pytest
import yaml
from datasets import ClassLabel, Dataset, Features, Value

from tests.integration.hub_stand_in import StandIn
from tests.integration.workflow import REPOSITORY, TINY, Clone
from xstilts.tables import read_table

HUB = "hub.yaml"
CONFIG = f"{TINY} {HUB}"
LABELS = ["entailment", "neutral", "contradiction"]
KEPT = ("mnli", "xnli")


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Clone:
    """A clone whose registry of the hub has two data sets, in two languages."""
    made = Clone.make(tmp_path_factory.mktemp("clone"))
    registry = made.folder / "xstilts/registry/hub.yaml"
    entries = yaml.safe_load(registry.read_text(encoding="utf-8"))
    kept = {name: entries[name] for name in KEPT}
    kept["xnli"]["languages"] = ["de", "en"]
    registry.write_text(yaml.safe_dump(kept), encoding="utf-8")
    model = {"source": "hub", "repository": "someone/tiny", "revision": "1" * 40}
    config = {
        "run": {
            "models": ["fetched"],
            "languages": ["de"],
            "studies": [],
            "evaluations": [{"recipes": ["mlm"], "tasks": ["xnli"]}],
        },
        "data": {"source": "hub"},
        "models": {"fetched": model},
    }
    (made.folder / HUB).write_text(yaml.safe_dump(config), encoding="utf-8")
    return made


def publish(root: Path, clone: Clone) -> None:
    """What the registry names: a training example of MNLI stands in XNLI."""
    entries = yaml.safe_load((clone.folder / "xstilts/registry/hub.yaml").read_text(encoding="utf-8"))
    features = Features(
        pairID=Value("string"),
        premise=Value("string"),
        hypothesis=Value("string"),
        label=ClassLabel(names=LABELS),
    )
    files = {
        "mnli": ["data/train", "data/validation_matched"],
        "xnli": [f"{code}/{split}" for code in ("de", "en") for split in ("validation", "test")],
    }
    for name, entry in entries.items():
        for file in files[name]:
            rows = [
                {"pairID": f"{i}e", "premise": f"premise {i}", "hypothesis": f"{name}!", "label": i % 3}
                for i in range(9)
            ]
            if name == "xnli":
                rows[3]["hypothesis"] = "MNLI"
            path = (
                root / "datasets" / entry["repository"] / entry["revision"] / f"{file}-00000-of-00001.parquet"
            )
            path.parent.mkdir(parents=True, exist_ok=True)
            Dataset.from_list(rows, features=features).to_parquet(path)
    model = root / "models/someone/tiny" / ("1" * 40)
    model.mkdir(parents=True)
    for file in ("config.json", "tokenizer.json", "model.safetensors"):
        (model / file).write_text(file, encoding="utf-8")


@pytest.mark.slow
def test_after_fetch_no_job_needs_the_hub(
    clone: Clone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(tmp_path / "hub", clone)
    monkeypatch.setenv("HF_HOME", str(tmp_path / "home"))
    with StandIn(tmp_path / "hub") as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.endpoint)
        assert clone.scheduled("fetch", config=CONFIG).counts["fetch_data"] == 6
        assert not hub.asked, "a dry run asks nobody"
        clone.build("fetch", config=CONFIG)
        assert len(hub.downloaded) == 9
    assert not [path for path in clone.results().glob("state/**/*") if path.is_file()]
    clone.build("data", config=CONFIG)
    table = read_table(clone.results() / "leakage.tsv")
    trained = table[table["split"] == "train"]
    removed = trained[["trained_on", "evaluation", "removed", "of"]].values.tolist()
    assert removed == [["mnli", "any", 1, 9], ["mnli", "xnli", 1, 9]]
    assert clone.scheduled("data", config=CONFIG).rules == set()

    clone.edit(HUB, "- de", "- de\n  - en")
    assert "fetch_data" not in clone.scheduled("all", config=CONFIG).counts
    clone.edit("xstilts/registry/hub.yaml", "id: pairID", "index: pairID")
    planned = clone.scheduled("all", config=CONFIG)
    assert planned.counts["fetch_data"] == 2
    fetched = [message for message in planned.messages if message.startswith("fetch ")]
    assert fetched
    assert all(message.startswith("fetch mnli/") for message in fetched)


@pytest.mark.slow
@pytest.mark.parametrize(
    "overlay", sorted((REPOSITORY / "config").glob("*.yaml")), ids=lambda path: path.stem
)
def test_every_shipped_run_is_planned_with_nothing_downloaded(
    overlay: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_HOME", str(tmp_path / "home"))
    made = Clone.make(tmp_path / "clone")
    planned = made.scheduled(config=f"config/{overlay.name}")
    assert planned.counts["build_report"] == 1
    config = yaml.safe_load(overlay.read_text(encoding="utf-8"))
    is_hub = config.get("data", {}).get("source") == "hub"
    assert (planned.counts["fetch_data"] > 0) == is_hub
