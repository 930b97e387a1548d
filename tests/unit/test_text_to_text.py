"""mT5 as text to text: a tiny one in the hub's format, imported, trained, and held to what is possible."""

import os
import shutil
import signal
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from kinds_of_tokenizers import make
from safetensors.torch import load_file, save_file
from stage_tasks import COLOURS, LABELS, PLACES, examples, part
from test_predict import LONG, SENTENCES, decided
from test_stage import SHARED, score
from tiny_models import LINES, publish_mt5, tiny
from transformers import (
    BartConfig,
    BartForConditionalGeneration,
    MT5EncoderModel,
    MT5ForConditionalGeneration,
)

from xstilts.data.examples import Example, SpanExample
from xstilts.errors import CheckpointError, ConfigError
from xstilts.model import batches, checkpoint, importing, text_to_text
from xstilts.model.checkpoint import Model
from xstilts.model.features import NO_WORD, Lengths
from xstilts.model.heads import IGNORED
from xstilts.model.layers import layers_of
from xstilts.model.pieces import Pieces
from xstilts.model.pooling import every_state, pool
from xstilts.prediction import constrained, written
from xstilts.prediction.constrained import Substring, TagSequence, trie_of
from xstilts.prediction.embed import embed
from xstilts.prediction.predict import Decoding, answers_of, predict, rows_of, word_tags
from xstilts.prediction.written import WindowAnswer
from xstilts.training.place import Place
from xstilts.training.pretrain import keep_lm_head
from xstilts.training.stage import Part, train_stage
from xstilts.training.state import StateFolder

WRITTEN = sorted(LABELS.keys() - {"dual_encoder"})
WORDS = [*COLOURS, *PLACES, *(label for labels in LABELS.values() for label in labels)]
NAMES = "the is now a of here it stone? which colour? is it so? three " + " ".join(
    f"{name}:" for name in LABELS
)
TEXTS = [*LINES, *[" ".join(WORDS), NAMES] * 3]


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as the hub has it: configuration, weights, tokenizer; dropout is off."""
    folder = make("mt5", tmp_path_factory.mktemp("hub"), TEXTS)
    publish_mt5(folder, dropout_rate=0.0)
    return folder


@pytest.fixture
def copied(hub: Path, tmp_path: Path) -> Path:
    """A copy of it that a test may damage."""
    return Path(shutil.copytree(hub, tmp_path / "copied"))


@pytest.fixture(scope="module")
def model(hub: Path) -> Model:
    """An untrained one with an entry for every task type, whose logits are far from each other."""
    made = importing.from_folder(hub)
    torch.manual_seed(0)
    for task_type, labels in LABELS.items():
        made.add_head(task_type, task_type, labels)
    for module in made.modules():
        for parameter in module.parameters():
            torch.nn.init.normal_(parameter, std=0.3)
    return made


def learn(task_type: Any, **changes: Any) -> Part:
    """A task whose input has room for its name."""
    return part(task_type, max_length=64, **changes)


def batch_of(model: Model, ids: list[list[int]]) -> batches.Batch:
    return batches.collate(ids, list(range(len(ids))), model.pieces.pad, torch.device("cpu"))


# Import and storage


def test_an_imported_model_is_the_published_one(hub: Path, tmp_path: Path) -> None:
    theirs = MT5ForConditionalGeneration.from_pretrained(hub).eval()
    imported = importing.from_folder(hub)
    checkpoint.save(imported, tmp_path / "imported")
    read, wanted = torch.tensor([[9, 8, 7, 1], [30, 31, 32, 1]]), torch.tensor([[5, 6, 1], [7, 1, IGNORED]])
    for model in (imported, checkpoint.load(tmp_path / "imported")):
        assert not model.heads and not model.head_entries
        model.train(False)
        found = model.transformer(input_ids=read, labels=wanted)
        expected = theirs(input_ids=read, labels=wanted)
        torch.testing.assert_close(found.logits, expected.logits, rtol=0, atol=0)
    assert imported.parameters == theirs.num_parameters() > imported.encoder.num_parameters()
    assert (imported.layers, imported.width, layers_of(tmp_path / "imported")) == (2, 32, 2)
    imported.check_length(100_000)


def test_what_is_saved_comes_back_and_shared_embeddings_are_stored_once(hub: Path, tmp_path: Path) -> None:
    trained = importing.from_folder(hub)
    parts = [learn("classification", epochs=1), learn("dual_encoder", epochs=1)]
    train_stage(trained, parts, SHARED, 1, "both")
    checkpoint.save(trained, tmp_path / "a")
    read = checkpoint.load(tmp_path / "a")
    checkpoint.save(read, tmp_path / "b")
    for file in sorted((tmp_path / "a").iterdir()):
        assert (tmp_path / "b" / file.name).read_bytes() == file.read_bytes()
        assert str(tmp_path).encode() not in file.read_bytes()
    assert list(read.heads) == ["dual_encoder"]
    assert read.head_entries == trained.head_entries
    names = load_file(tmp_path / "a" / "model.safetensors").keys()
    assert {name for name in names if "embed" in name or "shared" in name} == {"shared.weight"}
    assert "lm_head.weight" in names
    whole: Any = read.transformer
    assert whole.encoder.embed_tokens.weight is whole.decoder.embed_tokens.weight is whole.shared.weight
    assert whole.lm_head.weight is not whole.shared.weight
    assert not torch.equal(whole.lm_head.weight, load_file(hub / "model.safetensors")["lm_head.weight"])


@pytest.mark.parametrize(
    "name",
    [
        "shared.weight",
        "encoder.block.1.layer.1.DenseReluDense.wo.weight",
        "encoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight",
        "decoder.block.0.layer.1.EncDecAttention.q.weight",
        "decoder.final_layer_norm.weight",
        "lm_head.weight",
    ],
)
def test_a_missing_weight_is_an_error(copied: Path, name: str) -> None:
    tensors = load_file(copied / "model.safetensors")
    del tensors[name]
    save_file(tensors, copied / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(CheckpointError, match="text-to-text weights are not there and would stay random"):
        importing.from_folder(copied)


def test_a_decoder_may_share_its_output_with_the_embeddings(copied: Path, tmp_path: Path) -> None:
    tensors = load_file(copied / "model.safetensors")
    del tensors["lm_head.weight"]
    save_file(tensors, copied / "model.safetensors", metadata={"format": "pt"})
    config = (copied / "config.json").read_text(encoding="utf-8")
    (copied / "config.json").write_text(config.replace('embeddings": false', 'embeddings": true'))
    model = importing.from_folder(copied)
    train_stage(model, [learn("tagging", epochs=1)], SHARED, 1, "tagging")
    checkpoint.save(model, tmp_path / "a")
    assert "lm_head.weight" not in load_file(tmp_path / "a" / "model.safetensors")
    checkpoint.save(checkpoint.load(tmp_path / "a"), tmp_path / "b")
    for file in sorted((tmp_path / "a").iterdir()):
        assert (tmp_path / "b" / file.name).read_bytes() == file.read_bytes()


def test_an_untrained_twin_has_as_many_weights(hub: Path, tmp_path: Path) -> None:
    imported = importing.from_folder(hub)
    checkpoint.save(imported, tmp_path / "mlm")
    twins = [checkpoint.randomise(tmp_path / "mlm", 5) for _ in range(2)]
    for number, twin in enumerate(twins):
        assert twin.parameters == imported.parameters
        checkpoint.save(twin, tmp_path / str(number))
    one, other, old = ((tmp_path / name / "model.safetensors").read_bytes() for name in ("0", "1", "mlm"))
    assert one == other != old
    assert checkpoint.load(tmp_path / "0").parameters == imported.parameters


def test_without_a_tokenizer_the_error_says_how_to_get_one(copied: Path) -> None:
    (copied / "tokenizer.json").rename(copied / "spiece.model")
    with pytest.raises(CheckpointError) as caught:
        importing.from_folder(copied)
    assert "tokenizer.json" in caught.value.hint and "save_pretrained" in caught.value.hint


def test_a_tokenizer_of_another_family_is_an_error(copied: Path, tokens: Path, tmp_path: Path) -> None:
    encoder = tmp_path / "encoder"
    checkpoint.save(tiny(tokens), encoder)
    for folder, other in ((copied, tokens), (encoder, copied)):
        kept = (folder / "tokenizer.json").read_bytes()
        shutil.copy(other / "tokenizer.json", folder)
        with pytest.raises(CheckpointError, match="not of the family of the model"):
            importing.from_folder(folder)
        (folder / "tokenizer.json").write_bytes(kept)


def test_other_decoders_are_refused(copied: Path) -> None:
    config = BartConfig(
        vocab_size=9, d_model=16, encoder_layers=1, decoder_layers=1, encoder_ffn_dim=8, decoder_ffn_dim=8
    )
    BartForConditionalGeneration(config).save_pretrained(copied)
    with pytest.raises(CheckpointError, match="bart has a decoder"):
        importing.from_folder(copied)


def test_masked_lm_is_refused(hub: Path) -> None:
    with pytest.raises(ConfigError, match="has no masked LM") as caught:
        keep_lm_head(importing.from_folder(hub), 1)
    assert caught.value.hint


# The encoder alone


@torch.inference_mode()
def test_the_encoder_is_that_of_transformers(hub: Path) -> None:
    model = importing.from_folder(hub)
    model.train(False)
    ids = [model.pieces.one(text.ids, model.max_length) for text in model.pieces.encode(LINES)]
    batch = batch_of(model, ids)
    theirs = MT5EncoderModel.from_pretrained(hub).eval()
    expected = theirs(input_ids=batch.ids, attention_mask=batch.mask, output_hidden_states=True)
    found = every_state(model.encoder, batch)
    assert len(found) == len(expected.hidden_states) == 3
    for one, other in zip(found, expected.hidden_states, strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=0)
    torch.testing.assert_close(found[-1], expected.last_hidden_state, rtol=0, atol=0)
    vectors = embed(model, LINES, layer=1, how="mean", batch_tokens=100)
    for row, (line, pieces) in enumerate(zip(LINES, ids, strict=True)):
        alone = theirs(input_ids=torch.tensor([pieces]), output_hidden_states=True).hidden_states[1][0]
        mean = torch.nn.functional.normalize(alone.mean(dim=0), dim=0)
        np.testing.assert_allclose(vectors[row], mean.numpy(), atol=1e-5, err_msg=line)
    words = pool(model.encoder, batch, 2, "mean_words", model.pieces.special)
    torch.testing.assert_close(words[0], found[2][0, : len(ids[0]) - 1].mean(dim=0))


# Inputs and targets


@pytest.mark.parametrize("task_type", WRITTEN)
@given(longest=st.integers(40, 90), stride=st.integers(0, 20))
def test_inputs_fit_and_begin_with_the_task(model: Model, task_type: str, longest: int, stride: int) -> None:
    given_examples = [*examples(task_type)[:4], *{"span": LONG, "tagging": SENTENCES}.get(task_type, [])]
    rows = rows_of(model, task_type, given_examples, Lengths(longest, stride))
    (prefix,) = model.pieces.encode([f"{task_type}:"])
    for row in rows:
        assert len(row.ids) <= longest
        assert row.ids[: len(prefix.ids)] == prefix.ids
        assert row.ids[-1] == model.pieces.end
        assert not row.words or len(row.words) == len(row.ids)
    assert {row.example for row in rows} == set(range(len(given_examples)))


def test_targets_say_what_is_right(model: Model) -> None:
    def said(task_type: str, which: Example) -> str:
        (row,) = rows_of(model, task_type, [which], Lengths(64, 8))
        assert row.targets[-1] == model.pieces.end
        pieces = [model.pieces.tokenizer.id_to_token(piece) for piece in row.targets[:-1]]
        return "".join(pieces).replace("▁", " ").strip()

    for task_type, expected in {
        "classification": "yes",
        "multiple_choice": "red",
        "span": "red",
        "tagging": "WORD COLOUR PLACE WORD",
    }.items():
        assert said(task_type, examples(task_type)[0]) == expected
    question = examples("span")[0]
    assert isinstance(question, SpanExample)
    assert said("span", replace(question, answers=(), starts=())) == ""


def follow(constraint: Any, targets: list[int]) -> None:
    """Write what is right, which has to be allowed."""
    for piece in targets:
        if not constraint.is_done:
            assert piece in constraint.allowed()
            constraint.take(piece)
    assert constraint.is_done


@given(st.data(), st.integers(24, 60), st.integers(0, 8))
def test_tags_come_back_through_all_windows(
    model: Model, data: st.DataObject, longest: int, stride: int
) -> None:
    labels = LABELS["tagging"]
    tagged = [
        replace(each, tags=tuple(data.draw(st.sampled_from(labels)) for _ in each.words))
        for each in SENTENCES[:2]
    ]
    rows = rows_of(model, "tagging", tagged, Lengths(longest, stride))
    assert len(rows) > len(tagged)
    codes = text_to_text.codes_of("tagging", model.pieces, labels)
    values = [np.zeros((len(row.ids), len(labels))) for row in rows]
    for row, value in zip(rows, values, strict=True):
        places = [i for i, word in enumerate(row.words) if word != NO_WORD]
        sequence = TagSequence(trie_of(codes), len(places))
        follow(sequence, row.targets)
        value[places, sequence.tags] = 1
    assert word_tags(values, rows, tagged, labels) == [list(each.tags or ()) for each in tagged]


@given(st.data(), st.integers(45, 90), st.integers(0, 12))
def test_answers_come_back_through_all_windows(
    model: Model, data: st.DataObject, longest: int, stride: int
) -> None:
    words = LONG[0].context.split(" ")
    begin = data.draw(st.integers(0, len(words) - 1))
    answer = " ".join(words[begin : begin + data.draw(st.integers(1, 2))])
    start = len(" ".join(["", *words[:begin]])) if begin else 0
    asked = [replace(LONG[0], answers=(answer,), starts=(start,))]
    rows = rows_of(model, "span", asked, Lengths(longest, stride))
    found = []
    for row in rows:
        span = Substring(row.ids[row.first : -1], 60, model.pieces.end)
        is_there = len(row.targets) > 1
        if is_there:
            follow(span, row.targets)
        first, last = span.place
        found.append(WindowAnswer(0.0, float(is_there), row.offset + first, row.offset + last))
    if any(window.score for window in found):  # else it is longer than what neighbours share
        (text,) = answers_of(found, rows, asked, model.pieces, True)
        assert text.strip(".,;?:") == answer.strip(".,;?:")


def test_a_tag_that_is_unknown_is_not_learnt(model: Model) -> None:
    tagged = [replace(SENTENCES[0], words=("a", "red"), tags=("RARE", "COLOUR"))]
    (row,) = rows_of(model, "tagging", tagged, Lengths(64, 8))
    _, colour, *_ = text_to_text.codes_of("tagging", model.pieces, ["WORD", "COLOUR", "PLACE"])
    assert row.targets == [IGNORED, *colour, model.pieces.end]
    states = model.encoder(input_ids=torch.tensor([row.ids])).last_hidden_state
    mask = torch.ones(1, len(row.ids), dtype=torch.long)
    logits, gold = text_to_text.target_logits(model.transformer, states, mask, [row.targets])
    assert gold.tolist() == row.targets[1:] and len(logits) == len(gold)


def test_labels_stay_apart(model: Model) -> None:
    pieces, end = model.pieces, model.pieces.end
    plain = text_to_text.codes_of("classification", pieces, ["red", "red sea"])
    assert plain[1][: len(plain[0])] == plain[0]
    tags = text_to_text.codes_of("tagging", pieces, ["red", "red sea"])
    assert tags == [[*code, end] for code in plain]
    assert text_to_text.codes_of("tagging", pieces, ["red", "sea"]) == [
        encoded.ids for encoded in pieces.encode(["red", "sea"])
    ]
    with pytest.raises(CheckpointError, match="labels ∰ and ∯ apart"):
        text_to_text.codes_of("tagging", pieces, ["∰", "∯"])


def test_no_room_beside_the_name_of_the_task_is_an_error(model: Model) -> None:
    with pytest.raises(ConfigError, match="no room beside the name of the task"):
        rows_of(model, "classification", examples("classification"), Lengths(9, 0))


@given(st.lists(st.integers(0, 30), min_size=1, max_size=6), st.integers(0, 80))
def test_the_longest_are_cut_first(lengths: list[int], room: int) -> None:
    kept = text_to_text._fitting(lengths, room)
    assert sum(kept) <= room
    assert all(size <= length for size, length in zip(kept, lengths, strict=True))
    cut = [size for size, length in zip(kept, lengths, strict=True) if size < length]
    assert not cut or (max(kept) - min(cut) <= 1 and room - sum(kept) < len(kept))
    assert sum(lengths) > room or kept == lengths


# Constraints


@given(st.data(), st.lists(st.integers(2, 5), max_size=12), st.integers(1, 6))
def test_a_span_is_always_a_run_of_the_window(data: st.DataObject, window: list[int], longest: int) -> None:
    span, taken = Substring(window, longest, 1), list[int]()
    while not span.is_done:
        taken.append(data.draw(st.sampled_from(span.allowed())))
        span.take(taken[-1])
    if not window:
        assert span.place == (0, -1)
        return
    *pieces, end = taken
    runs = [
        (i, i + len(pieces) - 1)
        for i in range(len(window))
        if window[i : i + len(pieces)] == pieces and pieces
    ]
    assert end == 1 and 0 < len(pieces) <= longest
    assert span.place == runs[0]


codes = st.lists(st.lists(st.integers(2, 4), min_size=1, max_size=3), min_size=1, max_size=5, unique_by=tuple)


@given(st.data(), codes, st.integers(0, 7))
def test_tags_are_always_as_many_as_words(data: st.DataObject, codes: list[list[int]], words: int) -> None:
    codes = [[*code, 1] for code in codes]  # none begins another
    sequence, taken = TagSequence(trie_of(codes), words), list[int]()
    while not sequence.is_done:
        taken.append(data.draw(st.sampled_from(sequence.allowed())))
        sequence.take(taken[-1])
    assert len(sequence.tags) == words
    assert taken == [piece for tag in sequence.tags for piece in codes[tag]]


def test_answers_are_possible_ones(model: Model) -> None:
    for longest in (1, 4, 20):
        answers = predict(model, "span", LONG, Decoding(Lengths(60, 12), longest, 500))
        for example, answer in zip(LONG, answers, strict=True):
            assert answer and answer in example.context
    for length in (40, 500):
        tagged = predict(model, "tagging", SENTENCES, Decoding(Lengths(length, 12), None, 500))
        for sentence, tags in zip(SENTENCES, tagged, strict=True):
            assert len(tags) == len(sentence.words)
            assert set(tags) <= set(LABELS["tagging"])
    how = Decoding(Lengths(64, 8), None, 500)
    assert set(predict(model, "classification", examples("classification"), how)) <= {"no", "yes"}
    chosen = predict(model, "multiple_choice", examples("multiple_choice"), how)
    choices = [len(example.choices) for example in examples("multiple_choice")]  # type: ignore[union-attr]
    assert all(0 <= choice < count for choice, count in zip(chosen, choices, strict=True))
    assert predict(model, "span", [replace(LONG[0], context="")], Decoding(Lengths(60, 12), 4, 500)) == [""]
    assert predict(model, "span", [], Decoding(Lengths(60, 12), 4, 500)) == []


# Agreement with transformers


def their_score(model: Model, read: list[int], target: list[int]) -> float:
    """The log-probability of a target by transformers' own loss, which is its mean over the pieces."""
    output = model.transformer(input_ids=torch.tensor([read]), labels=torch.tensor([target]))
    return -float(output.loss) * len(target)


@torch.inference_mode()
@pytest.mark.parametrize("task_type", ["classification", "multiple_choice"])
def test_scored_labels_are_those_of_transformers(model: Model, task_type: str) -> None:
    model.train(False)
    given_examples = examples(task_type)[:8]
    rows = rows_of(model, task_type, given_examples, Lengths(64, 8))
    every = text_to_text.candidates(task_type, given_examples, model.pieces, LABELS[task_type])
    found = written.candidate_scores(model, rows, every, 300)
    for row, possible, scores in zip(rows, every, found, strict=True):
        assert len(possible) == len(scores) >= 2
        expected = [their_score(model, row.ids, target) for target in possible]
        np.testing.assert_allclose(scores, expected, rtol=1e-4)
        assert row.targets in possible


@torch.inference_mode()
def test_a_span_is_written_greedily_and_scored_as_by_transformers(model: Model) -> None:
    model.train(False)
    rows = rows_of(model, "span", LONG, Lengths(60, 12))[:12]
    end, transformer = model.pieces.end, model.transformer
    for row, answer in zip(rows, written.spans(model, rows, 5, 2000), strict=True):
        window = row.ids[row.first : -1]
        pieces = window[answer.first - row.offset : answer.last - row.offset + 1]
        assert answer.score == pytest.approx(their_score(model, row.ids, [*pieces, end]), rel=1e-4)
        assert answer.none == pytest.approx(their_score(model, row.ids, [end]), rel=1e-4)
        span = Substring(window, 5, end)
        for i, piece in enumerate([*pieces, end]):  # without a cache
            before = torch.tensor([[model.pieces.pad, *pieces[:i]]])
            logits = transformer(input_ids=torch.tensor([row.ids]), decoder_input_ids=before).logits[0, -1]
            assert piece == max(span.allowed(), key=lambda allowed: float(logits[allowed]))
            span.take(piece)
        assert span.is_done


@torch.inference_mode()
def test_the_loss_is_that_of_transformers(model: Model) -> None:
    model.train(False)
    rows = rows_of(model, "tagging", examples("tagging")[:5], Lengths(64, 8))
    found = text_to_text.loss(
        model.transformer, batch_of(model, [row.ids for row in rows]), [row.targets for row in rows]
    )
    expected = -sum(their_score(model, row.ids, row.targets) for row in rows)
    assert float(found) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(
    ("task_type", "given_examples"),
    [(kind, examples(kind)) for kind in sorted(LABELS)] + [("span", LONG), ("tagging", SENTENCES)],
)
def test_batches_decide_nothing(model: Model, task_type: str, given_examples: list) -> None:
    lengths = Lengths(60, 12)
    one, many, backwards = (
        decided(predict(model, task_type, examples_, Decoding(lengths, 10, size, embedding="mean")))
        for examples_, size in ((given_examples, 1), (given_examples, 100_000), (given_examples[::-1], 500))
    )
    assert one == many
    assert backwards[::-1] == one
    assert len({str(value) for value in one}) > 1


def test_the_window_that_is_surest_answers(model: Model) -> None:
    rows = rows_of(model, "span", LONG[:1], Lengths(60, 12))
    assert len(rows) > 1 and all(one.offset < other.offset for one, other in pairwise(rows))
    found = written.spans(model, rows, 5, 500)
    best = max(found, key=lambda window: window.score)
    (context,) = model.pieces.encode([LONG[0].context])
    begin, end = context.offsets[best.first][0], context.offsets[best.last][1]
    (answer,) = predict(model, "span", LONG[:1], Decoding(Lengths(60, 12), 5, 500))
    assert answer == LONG[0].context[begin:end].strip()


# Training


@pytest.mark.parametrize("task_type", sorted(LABELS))
def test_every_task_type_is_learnt(hub: Path, task_type: str) -> None:
    model, learnt = importing.from_folder(hub), learn(task_type)
    rows = train_stage(model, [learnt], SHARED, 1, task_type).rows
    assert [row["step"] for row in rows] == [20, 40, 60]
    assert list(model.heads) == (["dual_encoder"] if task_type == "dual_encoder" else [])
    assert list(model.head_entries) == [task_type]
    assert score(model, learnt) > 0.9
    assert score(model, learnt) == max(row["value"] for row in rows)


def test_a_mixture_is_learnt(hub: Path) -> None:
    model = importing.from_folder(hub)
    parts = [
        learn("classification", epochs=30),
        learn("tagging", epochs=10),
        learn("dual_encoder", epochs=10),
    ]
    train_stage(model, parts, SHARED, 1, "mixture")
    assert all(score(model, each) > 0.9 for each in parts[:2])
    assert score(model, parts[2]) > 0.8


def test_questions_without_an_answer_are_learnt(hub: Path) -> None:
    questions = [example for example in examples("span") if isinstance(example, SpanExample)]
    questions = [
        replace(each, question="why is the sky blue?", answers=(), starts=()) if i % 2 else each
        for i, each in enumerate(questions)
    ]
    learnt = learn("span", train=questions, unanswerable=True, epochs=30)
    model = importing.from_folder(hub)
    rows = train_stage(model, [learnt], SHARED, 1, "span").rows
    assert max(row["value"] for row in rows) > 0.9
    assert all(predict(model, "span", questions, Decoding(learnt.lengths, 10, 4096)))


def test_the_step_is_cut_without_a_difference(hub: Path, tmp_path: Path) -> None:
    for name, changes, shared in (
        ("whole", {}, SHARED),
        ("cut", {"batch_tokens": 100}, SHARED),
        ("again", {}, SHARED.model_copy(update={"gradient_checkpointing": True})),
    ):
        model = importing.from_folder(hub)
        train_stage(model, [learn("tagging", epochs=1, **changes)], shared, 1, "tagging")
        checkpoint.save(model, tmp_path / name)
    whole, *others = (load_file(tmp_path / name / "model.safetensors") for name in ("whole", "cut", "again"))
    for other in others:
        for key, tensor in whole.items():
            torch.testing.assert_close(other[key], tensor, rtol=1e-2, atol=2e-4)


def test_lower_precision_is_enough(hub: Path) -> None:
    model, learnt = importing.from_folder(hub), learn("classification")
    train_stage(model, [learnt], SHARED, 1, "c", place=Place(torch.bfloat16))
    assert {parameter.dtype for parameter in model.transformer.parameters()} == {torch.float32}
    assert score(model, learnt) > 0.9


def test_a_killed_training_ends_with_the_same_bytes(
    copied: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish_mt5(copied, dropout_rate=0.1)  # drawn from torch's generator, whose state is kept
    parts = [learn("tagging", epochs=2), learn("dual_encoder", epochs=2), learn("span", epochs=2)]

    def train(folder: Path, states: StateFolder | None) -> None:
        model = importing.from_folder(copied)
        train_stage(model, parts, SHARED, 1, "mixture", place=Place(states=states))
        checkpoint.save(model, folder)

    train(tmp_path / "whole", None)
    states = StateFolder(tmp_path / "state", "f", 1e9)
    compute, calls = text_to_text.loss, list[int]()

    def killed(*arguments: Any) -> torch.Tensor:
        calls.append(1)
        if len(calls) == 7:
            os.kill(os.getpid(), signal.SIGTERM)
        return compute(*arguments)

    monkeypatch.setattr(text_to_text, "loss", killed)
    with pytest.raises(SystemExit):
        train(tmp_path / "killed", states)
    kept = states.latest()
    assert kept is not None and 0 < kept.facts["done"] < 18
    train(tmp_path / "resumed", states)
    for file in sorted((tmp_path / "whole").iterdir()):
        assert (tmp_path / "resumed" / file.name).read_bytes() == file.read_bytes()


def test_write_takes_the_likeliest_of_what_is_allowed() -> None:
    likely = torch.tensor([[0.0, 3.0, 2.0, 2.0], [1.0, 9.0, 0.0, 0.0]])
    assert constrained._best(likely, [[0, 2, 3], []]) == ([2, 0], [2.0, 1.0])


def test_places_of_words_are_behind_the_name(model: Model) -> None:
    (row, *_) = rows_of(model, "tagging", SENTENCES[:1], Lengths(64, 8))
    assert row.first == len(model.pieces.encode(["tagging:"])[0].ids)
    assert row.words[: row.first + 1] == [NO_WORD] * row.first + [0]


def test_every_piece_of_the_tokenizer_is_known_by_its_role(hub: Path) -> None:
    pieces = Pieces(hub)
    assert (pieces.pad, pieces.end, pieces.unknown) == (0, 1, 2)
    assert pieces.start is None and pieces.mask is None
    assert pieces.one([7, 8, 9], 3) == [7, 8, 1]
    assert pieces.two([7, 8, 9], [5, 6], 6) == [7, 8, 1, 5, 6, 1]
