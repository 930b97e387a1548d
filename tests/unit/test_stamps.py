"""Stamps: a prediction file is kept only while everything that decided it is the same."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xstilts import registry
from xstilts.data.examples import Example
from xstilts.data.sources import open_source
from xstilts.errors import PredictionError
from xstilts.prediction import stamps
from xstilts.prediction.job import predict_languages

TASK = registry.evaluation_tasks()["tatoeba"]
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)


@given(st.dictionaries(st.text(max_size=3), values, max_size=3), st.text(max_size=3), values)
def test_a_stamp_holds_only_when_all_is_equal(
    tmp_path_factory: pytest.TempPathFactory, stamp: dict[str, Any], key: str, value: object
) -> None:
    file = tmp_path_factory.getbasetemp() / "dev-de.tsv"
    file.write_text("0\n", encoding="utf-8")
    stamps.write(file, stamp)
    assert stamps.holds([file], dict(reversed(stamp.items())))
    assert stamps.read(file) == stamp
    changed = {**stamp, key: value}
    assert stamps.holds([file], changed) is (repr(sorted(changed.items())) == repr(sorted(stamp.items())))


def test_a_file_that_is_not_there_is_not_held(tmp_path: Path) -> None:
    file = tmp_path / "dev-de.tsv"
    stamps.write(file, {})
    assert not stamps.holds([file], {})
    file.write_text("0\n", encoding="utf-8")
    assert stamps.holds([file], {})
    stamps.remove(file)
    assert not stamps.holds([file], {})
    stamps.remove(file)
    with pytest.raises(PredictionError, match="no readable stamp"):
        stamps.read(file)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "source/tatoeba"
    folder.mkdir(parents=True)
    for code in ("deu", "fra"):
        for side in (code, "eng"):
            (folder / f"tatoeba.{code}-eng.{side}").write_text(f"one {side}\ntwo {side}\n", encoding="utf-8")
    return tmp_path / "source"


def run(
    source: Path, output: Path, languages: list[str], stamp: dict[str, Any], fails: bool = False
) -> list[str]:
    """Predict, and tell which languages were computed."""
    computed: list[str] = []

    def predictor() -> Any:
        def predict(examples: Sequence[Example], language: str) -> Mapping[str, Any]:
            computed.append(language)
            if fails:
                raise KeyboardInterrupt
            return {example.id: ((i, 1.0),) for i, example in enumerate(examples)}

        return predict

    predict_languages(TASK, languages, open_source(source, "none"), output, stamp, predictor)
    return computed


def test_only_what_is_new_or_changed_is_computed(source: Path, tmp_path: Path) -> None:
    output = tmp_path / "predictions"
    assert run(source, output, ["de"], {"weights": "a"}) == ["de"]
    assert run(source, output, ["de", "fr"], {"weights": "a"}) == ["fr"]
    assert run(source, output, ["de", "fr"], {"weights": "a"}) == []
    assert run(source, output, ["de", "fr"], {"weights": "b"}) == ["de", "fr"]
    (source / "tatoeba/tatoeba.deu-eng.deu").write_text("eins\nzwei\n", encoding="utf-8")
    assert run(source, output, ["de", "fr"], {"weights": "b"}) == ["de"]


def test_a_kept_file_is_made_newer_than_its_inputs(source: Path, tmp_path: Path) -> None:
    import os

    output = tmp_path / "predictions"
    run(source, output, ["de"], {})
    made = sorted(output.iterdir())
    assert [path.name for path in made] == ["test-de.trec.gz", "test-de.tsv", "test-de.tsv.stamp.json"]
    for path in made:
        os.utime(path, (1, 1))
    run(source, output, ["de"], {})
    assert min(path.stat().st_mtime for path in made) > 1


def test_a_language_whose_run_file_is_gone_is_computed_again(source: Path, tmp_path: Path) -> None:
    output = tmp_path / "predictions"
    run(source, output, ["de", "fr"], {})
    (output / "test-fr.trec.gz").unlink()
    assert run(source, output, ["de", "fr"], {}) == ["fr"]
    assert (output / "test-fr.trec.gz").is_file()


def test_a_job_that_is_killed_leaves_what_it_had_finished(source: Path, tmp_path: Path) -> None:
    output = tmp_path / "predictions"
    run(source, output, ["de"], {"weights": "a"})
    with pytest.raises(KeyboardInterrupt):
        run(source, output, ["de", "fr"], {"weights": "b"}, fails=True)
    (file,) = output.glob("*.tsv")
    assert stamps.holds([file], stamps.read(file))
    assert stamps.read(file)["weights"] == "a"
    assert run(source, output, ["de", "fr"], {"weights": "a"}) == ["fr"]
