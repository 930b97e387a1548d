"""Gold answers and tags of every language of the mirror, through pieces, windows and decoding.

A model that is right and sure at every piece gives back the tags exactly, and of an answer the shortest text
of whole pieces that holds it: the answer itself, or that as far as the pieces reach in which it begins and
ends ("14" in "14th", "1915" in "1915–16"), and never anything else. Pieces do not end where answers do in a
sixteenth of the sample: most of them hold the full stop or the comma after a word, or the ending of one.
"""

import os
from functools import cache
from pathlib import Path
from typing import TypeVar

import numpy as np
import pytest
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers

from xstilts.data.examples import TaggedExample
from xstilts.data.formats import squad, tagged
from xstilts.model.features import NO_WORD, Feature, Lengths, build
from xstilts.model.pieces import Pieces
from xstilts.prediction.predict import span_answers, word_tags
from xstilts.scoring.qa import squad_normalise
from xstilts.training import tokenizer

T = TypeVar("T")
MIRROR = Path(os.environ.get("XSTILTS_MIRROR", Path(__file__).parents[3] / "shared" / "data"))
pytestmark = pytest.mark.skipif(not MIRROR.is_dir(), reason=f"no mirror of the data sets at {MIRROR}")

LINES, VOCABULARY = 300, 12000  # of each language's text, and pieces
QUESTIONS, SENTENCES = 200, 100  # of each file
SPAN, TAGS = Lengths(384, 128), Lengths(128, 32)
ANSWERS = ["xquad/*", "xquad_r/*", "mlqa/*", "tydiqa_goldp/*.train.*", "squad_v1.1/*", "squad_v2/*"]
TAGGED = ["udpos/*.tsv", "panx/*.tsv"]


def files(patterns: list[str]) -> list[str]:
    return sorted(str(path.relative_to(MIRROR)) for pattern in patterns for path in MIRROR.glob(pattern))


@cache
def text() -> list[str]:
    lines = []
    for path in sorted((MIRROR / "text").glob("*.txt")):
        with path.open(encoding="utf-8") as stream:
            lines += [line.strip() for line, _ in zip(stream, range(LINES), strict=False)]
    return lines


def wordpiece(folder: Path) -> None:
    """Cleaning and splitting as mBERT's, with pieces of the mirror's text."""
    made = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    made.normalizer = normalizers.BertNormalizer(strip_accents=False, lowercase=False)
    made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    trainer = trainers.WordPieceTrainer(vocab_size=VOCABULARY, special_tokens=special, show_progress=False)
    made.train_from_iterator(text(), trainer)
    made.save(str(folder / "tokenizer.json"))


@pytest.fixture(scope="module", params=["bpe", "wordpiece"])
def pieces(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Pieces:
    """A tokenizer of the mirror's text."""
    folder = tmp_path_factory.mktemp(request.param)
    if request.param == "bpe":
        tokenizer.train(text(), VOCABULARY, 0.9995, folder)
    else:
        wordpiece(folder)
    return Pieces(folder)


def sample(examples: list[T], size: int) -> list[T]:
    """As many examples, evenly spread."""
    return [examples[index * len(examples) // size] for index in range(min(size, len(examples)))]


def one_hot(rows: list[Feature]) -> list[np.ndarray]:
    found = [np.zeros((len(row.ids), 2), np.float32) for row in rows]
    for row, logits in zip(rows, found, strict=True):
        assert isinstance(row.gold, list)
        logits[row.gold, [0, 1]] = 1.0
    return found


@pytest.mark.parametrize("file", files(ANSWERS))
def test_answers(pieces: Pieces, file: str) -> None:
    examples = list(squad.parse([MIRROR / file], dataset="questions", split="test", language="xx"))
    answered = sample([example for example in examples if example.answers], QUESTIONS)
    rows = build("span", answered, pieces, SPAN, [])
    found = span_answers(one_hot(rows), rows, answered, pieces, SPAN.max_length)
    placed = {row.example for row in rows if row.gold != [0, 0]}
    for index, (example, text) in enumerate(zip(answered, found, strict=True)):
        start, end = example.starts[0], example.starts[0] + len(example.answers[0])
        offsets = pieces.encode([example.context])[0].offsets
        touched = [span for span in offsets if span[0] < end and span[1] > start]
        if index not in placed:
            assert len(touched) > SPAN.stride + 1  # else a window holds it
            continue
        edges = [start, *(span[0] for span in touched)], [end, *(span[1] for span in touched)]
        whole = example.context[min(edges[0]) : max(edges[1])]
        assert visible(text) in (visible(example.answers[0]), visible(whole)), example.id


def visible(text: str) -> str:
    """Without white space and zero-width characters at its ends, which pieces do not hold."""
    return text.strip().strip("\u200b\u200c\u200d\u200e\u200f\ufeff").strip()


def test_questions_without_an_answer_point_at_the_first_piece(pieces: Pieces) -> None:
    (file,) = files(["squad_v2/*"])
    examples = list(squad.parse([MIRROR / file], dataset="squad2", split="dev", language="en"))
    none = sample([example for example in examples if not example.answers], QUESTIONS)
    assert len(none) == QUESTIONS
    assert all(row.gold == [0, 0] for row in build("span", none, pieces, SPAN, []))


@pytest.mark.parametrize("file", files(["squad_v1.1/*", "squad_v2/*"]))
def test_gold_answers_without_a_word(file: str) -> None:
    """Three questions have "." beside other answers: v1.1 counts it, v2.0 does not."""
    examples = squad.parse([MIRROR / file], dataset="squad", split="dev", language="en")
    odd = [e.answers for e in examples if not all(map(squad_normalise, e.answers))]
    assert len(odd) == 3
    assert all({a for a in answers if not squad_normalise(a)} == {"."} for answers in odd)
    assert all(any(map(squad_normalise, answers)) for answers in odd)


@pytest.mark.parametrize("file", files(TAGGED))
def test_tags(pieces: Pieces, file: str) -> None:
    examples: list[TaggedExample] = list(
        tagged.parse([MIRROR / file], dataset="tags", split="dev", language="xx")
    )
    longest = max(range(len(examples)), key=lambda index: len(examples[index].words))
    chosen = [*sample(examples, SENTENCES), examples[longest]]
    labels = sorted({tag for example in chosen for tag in example.tags or ()})
    rows = build("tagging", chosen, pieces, TAGS, labels)
    logits = []
    for row in rows:
        assert isinstance(row.gold, list)
        logits.append((np.array(row.gold)[:, None] == np.arange(len(labels))).astype(np.float32))
    assert [tuple(tags) for tags in word_tags(logits, rows, chosen, labels)] == [e.tags for e in chosen]
    tagged_words = {(row.example, word) for row in rows for word in row.words if word != NO_WORD}
    assert len(tagged_words) == sum(len(example.words) for example in chosen)
