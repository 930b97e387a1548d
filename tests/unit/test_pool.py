"""The prediction job of one pool: what it writes, what it keeps, and when everything is done again."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from test_queries import paragraph, write

from xstilts.data.examples import Candidate, QueryExample
from xstilts.data.queries import gold
from xstilts.data.sources import FolderSource
from xstilts.prediction import stamps
from xstilts.prediction.pool import Ranker, predict_pool
from xstilts.prediction.submission import read_predictions
from xstilts.registry import HeldOut, PredictionTask
from xstilts.scoring import score

ENTRY = PredictionTask(type="dual_encoder", data=HeldOut(dataset="xquad_r", split="test"))
LANGUAGES = ["ar", "de", "en"]


@pytest.fixture
def source(tmp_path: Path) -> FolderSource:
    for language in LANGUAGES:
        write(tmp_path / "source" / "xquad_r" / f"{language}.json", paragraph(language))
    return FolderSource(tmp_path / "source")


class Job:
    """Predictions of a ranker that finds the second sentence of every paragraph first."""

    def __init__(self, source: FolderSource, folder: Path) -> None:
        self.source, self.folder = source, folder
        self.ranked: list[tuple[list[str], list[str]]] = []

    def ranker(self) -> Ranker:
        def rank(
            queries: list[QueryExample], candidates: Iterator[Candidate]
        ) -> list[tuple[tuple[str, float], ...]]:
            names = [candidate.id for candidate in candidates]
            self.ranked.append(([query.language for query in queries], names))
            order = sorted(names, key=lambda name: name.endswith("_0"))
            return [tuple((name, -float(i)) for i, name in enumerate(order)) for _ in queries]

        return rank

    def run(self, languages: list[str], **stamp: Any) -> None:
        predict_pool(ENTRY, languages, self.source, self.folder, {"setting": "s", **stamp}, self.ranker)


@pytest.fixture
def job(source: FolderSource, tmp_path: Path) -> Job:
    return Job(source, tmp_path / "predictions")


def test_every_language_ranks_the_pool_of_all(job: Job) -> None:
    job.run(LANGUAGES)
    assert job.ranked == [(LANGUAGES, ["ar_1_0", "ar_1_1", "de_1_0", "de_1_1", "en_1_0", "en_1_1"])]
    names = ["test-{}.json", "test-{}.json.stamp.json", "test-{}.trec.gz"]
    expected = sorted(name.format(language) for language in LANGUAGES for name in names)
    assert sorted(path.name for path in job.folder.iterdir()) == expected
    first = ["ar_1_1", "de_1_1", "en_1_1", "ar_1_0", "de_1_0", "en_1_0"]
    assert json.loads((job.folder / "test-de.json").read_text()) == {"q1": first}
    for language, examples in gold(job.source, ENTRY, LANGUAGES):
        found = read_predictions(job.folder / f"test-{language}.json", "dual_encoder", examples)
        assert found == {"q1": tuple((name, -float(i)) for i, name in enumerate(first))}
        measures = score("dual_encoder", examples, found)
        values = {name: measures[name].value for name in ("map_at_20", "recall_at_1", "recall_at_10", "mrr")}
        assert values == {"map_at_20": 1, "recall_at_1": 1 / 3, "recall_at_10": 1, "mrr": 1}
        assert measures["recall_at_1_ceiling"].value == 1 / 3


def test_nothing_is_done_where_all_stamps_hold(job: Job) -> None:
    job.run(LANGUAGES)
    before = {path.name: path.read_bytes() for path in job.folder.iterdir()}
    job.run(LANGUAGES)
    assert len(job.ranked) == 1
    assert {path.name: path.read_bytes() for path in job.folder.iterdir()} == before


def test_a_language_that_is_added_or_left_out_changes_all(job: Job) -> None:
    job.run(["ar", "de"])
    job.run(LANGUAGES)
    assert [languages for languages, _ in job.ranked] == [["ar", "de"], LANGUAGES]
    assert "en_1_1" in json.loads((job.folder / "test-ar.json").read_text())["q1"]
    job.run(["ar", "en"])
    assert "de_1_1" not in json.loads((job.folder / "test-ar.json").read_text())["q1"]


@pytest.mark.parametrize("change", ["setting", "data", "run file", "stamp"])
def test_what_changed_or_is_gone_is_predicted_again(job: Job, change: str) -> None:
    job.run(LANGUAGES)
    if change == "data":
        write(job.source.root / "xquad_r" / "en.json", paragraph("en"), paragraph("fi"))
    if change == "run file":
        (job.folder / "test-de.trec.gz").unlink()
    if change == "stamp":
        stamps.stamp_path(job.folder / "test-de.json").write_text("{}")
    if change == "data":
        job.source.root.joinpath("xquad_r", "en.json").write_text(
            job.source.root.joinpath("xquad_r", "en.json").read_text().replace('"q1"', '"q2"', 1)
        )
    job.run(LANGUAGES, **({"weights": "others"} if change == "setting" else {}))
    assert len(job.ranked) == 2


def test_a_job_that_is_killed_leaves_no_stamp_of_other_predictions(job: Job) -> None:
    job.run(LANGUAGES)
    whole = job.ranker

    def cut() -> Ranker:
        return lambda queries, candidates: whole()(queries, candidates)[:1]

    with pytest.raises(ValueError, match="zip"):
        predict_pool(ENTRY, LANGUAGES, job.source, job.folder, {"setting": "t"}, cut)
    assert [path.name for path in job.folder.iterdir() if path.name.endswith("stamp.json")] == [
        "test-ar.json.stamp.json"
    ]
    job.run(LANGUAGES, setting="t")
    assert len({path.read_bytes() for path in job.folder.glob("*.stamp.json")}) == 1
