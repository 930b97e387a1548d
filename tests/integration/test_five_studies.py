"""A whole run of all five studies, as small as they can be: every one is answered, and none needs torch."""

import json
import shutil
from pathlib import Path

import pytest

from tests.integration.workflow import TINY, Clone
from xstilts.tables import read_table

FIVE = f"{TINY} tests/integration/five.yaml"
STUDIES = ("typology", "scale", "qa_retrieval", "order", "similarity")
VERDICTS = {"supports", "contradicts", "inconclusive", "not estimable"}


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Clone:
    """A clone with a finished run of all studies; the page with them."""
    clone = Clone.make(tmp_path_factory.mktemp("five"))
    clone.build(config=FIVE)
    return clone


def test_every_study_has_a_verdict_for_a_reason_and_all_its_figures(finished: Clone) -> None:
    folder = finished.results("five") / "studies"
    summary = read_table(folder / "verdicts.tsv").set_index("study")
    assert tuple(summary.index) == STUDIES
    for study in STUDIES:
        verdict = json.loads((folder / study / "verdict.json").read_text(encoding="utf-8"))
        assert verdict["verdict"] in VERDICTS and verdict["rule"] and verdict["reason"]
        tests = read_table(folder / study / "tests.tsv").set_index("id")
        assert tests.loc[verdict["primary_id"], "role"] == "primary"
        assert (tests["role"] == "primary").sum() == 1
        # What has no estimate says why.
        assert (tests.loc[tests["estimate"].isna(), "note"].fillna("").str.len() > 0).all()
        figures = {path.suffix for path in (folder / study).iterdir()}
        assert figures == {".tsv", ".json", ".svg", ".pdf", ".png"}
        assert f'id="{study}"' in (finished.results("five") / "report.html").read_text(encoding="utf-8")


def test_two_seeds_and_two_sizes_decide_nothing(finished: Clone) -> None:
    summary = read_table(finished.results("five") / "studies/verdicts.tsv").set_index("study")
    for study in ("scale", "qa_retrieval", "order", "similarity"):
        assert summary.loc[study, "verdict"] in {"inconclusive", "not estimable"}


def test_nothing_is_left_to_do(finished: Clone) -> None:
    assert not finished.scheduled(config=FIVE).counts


def test_another_level_of_significance_needs_the_studies_alone_and_no_torch(
    finished: Clone, tmp_path: Path
) -> None:
    clone = Clone(tmp_path / "copy")
    shutil.copytree(finished.folder, clone.folder)
    overlay = clone.folder / "level.yaml"
    overlay.write_text("statistics: {alpha: 0.01}\n", encoding="utf-8")
    planned = clone.scheduled("studies", config=f"{FIVE} level.yaml")
    programs = {f"{verb}_{study}" for verb in ("analyse", "plot") for study in STUDIES}
    assert planned.rules == programs | {"collect_verdicts"}
    (clone.folder / "torch.py").write_text("raise ImportError('a study must not need torch')\n")
    clone.build("studies", config=f"{FIVE} level.yaml")
    verdict = json.loads((clone.results("five") / "studies/order/verdict.json").read_text(encoding="utf-8"))
    assert "0.01" in verdict["rule"]


def test_one_more_size_trains_that_size_alone(finished: Clone) -> None:
    overlay = finished.folder / "sizes.yaml"
    overlay.write_text(
        "run: {models: [micro, micro_small, micro_wide]}\n"
        "models: {micro_wide: {source: pretrain, architecture: {layers: 2, hidden: 48, heads: 2,"
        " feed_forward: 64, positions: 128, dropout: 0.1}}}\n",
        encoding="utf-8",
    )
    planned = finished.scheduled("studies", config=f"{FIVE} sizes.yaml")
    trained = [message for message in planned.messages if message.startswith(("train micro", "pre-train"))]
    assert trained and all("micro_wide" in message for message in trained)
