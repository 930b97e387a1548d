"""Examples to model inputs: pieces, windows, and gold labels; the same for training and prediction.

A `Feature` is one row of a batch. An example may have several: a long context or sentence is windowed
(never cut), a multiple-choice example has one row per choice, and a query is followed by its answer.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from xstilts.data.examples import (
    ChoiceExample,
    Example,
    PairExample,
    QueryExample,
    SpanExample,
    TaggedExample,
)
from xstilts.errors import TrainingError
from xstilts.model.heads import IGNORED
from xstilts.model.pieces import Pieces

NO_WORD = -1  # a position at which no word begins


@dataclass(frozen=True, slots=True)
class Feature:
    """One row of model input.

    Attributes:
        example: Index of the example in the list that was given.
        ids: Pieces, special ones included.
        gold: Label (classification), choice (on each of its rows), [start, end] (span), or one label
            per piece with IGNORED where there is none (tagging), or the number of the answer, the same where
            answers are equal (dual encoder); None without gold.
        offset: Of a span's context, the index of the window's first piece.
        first: Position in `ids` of that piece; of all else, of the first piece after the name of the task,
            which a text-to-text model's input begins with.
        words: Of a tagged sentence, for every position the index of the word that begins there, or NO_WORD.
        targets: What a text-to-text model has to write, with IGNORED where that is not known; empty for all
            other models.
    """

    example: int
    ids: list[int]
    gold: int | list[int] | None = None
    offset: int = 0
    first: int = 0
    words: list[int] = field(default_factory=list)
    targets: list[int] = field(default_factory=list)

    @property
    def length(self) -> int:
        """Pieces read and written."""
        return len(self.ids) + len(self.targets)


@dataclass(frozen=True, slots=True)
class Lengths:
    """Longest input and overlap of windows, in pieces."""

    max_length: int
    stride: int


def build(
    task_type: str, examples: Sequence[Example], pieces: Pieces, lengths: Lengths, labels: Sequence[str]
) -> list[Feature]:
    """All rows of a list of examples, in order."""
    builders = {
        "classification": _classification,
        "multiple_choice": _choices,
        "span": _spans,
        "tagging": _tags,
        "dual_encoder": _queries,
    }
    return list(builders[task_type](examples, pieces, lengths, {label: i for i, label in enumerate(labels)}))


def _classification(
    examples: Sequence[Example], pieces: Pieces, lengths: Lengths, index: dict[str, int]
) -> Iterator[Feature]:
    pairs = [example for example in examples if isinstance(example, PairExample)]
    firsts = pieces.stream([pair.first for pair in pairs])
    seconds = pieces.stream([pair.second or "" for pair in pairs])
    for i, (pair, first, second) in enumerate(zip(pairs, firsts, seconds, strict=True)):
        if pair.second is None:
            ids = pieces.one(first.ids, lengths.max_length)
        else:
            ids = pieces.two(first.ids, second.ids, lengths.max_length)
        yield Feature(i, ids, None if pair.label is None else index[pair.label])


def _choices(
    examples: Sequence[Example], pieces: Pieces, lengths: Lengths, index: dict[str, int]
) -> Iterator[Feature]:
    for i, example in enumerate(examples):
        assert isinstance(example, ChoiceExample)
        stem = f"{example.context} {example.question}".strip()
        question, *choices = pieces.encode([stem, *example.choices])
        for choice in choices:
            yield Feature(i, pieces.two(question.ids, choice.ids, lengths.max_length), example.label)


def windows(length: int, room: int, stride: int) -> Iterator[tuple[int, int]]:
    """Spans [begin, end) of at most `room` pieces that cover `length` pieces, overlapping by `stride`.

    Raises:
        TrainingError: if the room leaves no way forward.
    """
    step = room - stride
    if step < 1:
        raise TrainingError(
            f"windows of {room} pieces that overlap by {stride} do not move forward",
            hint="raise training.max_length or lower training.stride",
        )
    begin = 0
    while True:
        yield begin, min(begin + room, length)
        if begin + room >= length:
            return
        begin += step


def _spans(
    examples: Sequence[Example], pieces: Pieces, lengths: Lengths, index: dict[str, int]
) -> Iterator[Feature]:
    spans = [example for example in examples if isinstance(example, SpanExample)]
    questions = pieces.stream([span.question for span in spans])
    contexts = pieces.stream([span.context for span in spans])
    longest_question = (lengths.max_length - len(pieces.opening) - 1 - pieces.separators) // 2
    for i, (span, question, context) in enumerate(zip(spans, questions, contexts, strict=True)):
        asked = question.ids[:longest_question]
        head = [*pieces.opening, *asked, *[pieces.end] * pieces.separators]
        room = lengths.max_length - len(head) - 1
        answer = _answer_pieces(span, context.offsets)
        for begin, end in windows(len(context.ids), room, min(lengths.stride, room // 2)):
            gold = [0, 0]  # the first piece stands for "no answer in this window"
            if answer is not None and begin <= answer[0] and answer[1] < end:
                gold = [len(head) + answer[0] - begin, len(head) + answer[1] - begin]
            yield Feature(i, [*head, *context.ids[begin:end], pieces.end], gold, begin, len(head))


def _answer_pieces(example: SpanExample, offsets: list[tuple[int, int]]) -> tuple[int, int] | None:
    """First and last piece of the first gold answer: those of the shortest text that holds it, if any does.

    A character that normalisation takes apart (ﬁ, ½, Thai's sara am) may belong to two pieces; one that it
    removes belongs to none.
    """
    if not example.answers:
        return None
    start, end = example.starts[0], example.starts[0] + len(example.answers[0])
    touched = [i for i, (begin, stop) in enumerate(offsets) if max(begin, start) < min(stop, end)]
    if not touched:
        return None
    start, end = max(start, offsets[touched[0]][0]), min(end, offsets[touched[-1]][1])
    runs = [
        (i, next(j for j in touched if j >= i and offsets[j][1] >= end))
        for i in touched
        if offsets[i][0] <= start
    ]

    def cost(run: tuple[int, int]) -> tuple[int, int, int]:
        text = example.context[offsets[run[0]][0] : offsets[run[1]][1]].strip()
        return len(text), run[1] - run[0], -run[0]

    return min(runs, key=cost)


def _tags(
    examples: Sequence[Example], pieces: Pieces, lengths: Lengths, index: dict[str, int]
) -> Iterator[Feature]:
    room = lengths.max_length - len(pieces.opening) - 1
    for i, example in enumerate(examples):
        assert isinstance(example, TaggedExample)
        ids: list[int] = []
        words: list[int] = []
        for word, encoded in enumerate(pieces.words(example.words)):
            ids += encoded
            words += [word] + [NO_WORD] * (len(encoded) - 1)
        # A tag that the head lacks, because no training example has it, cannot be learnt.
        tags = None if example.tags is None else [index.get(tag, IGNORED) for tag in example.tags]
        for begin, end in windows(len(ids), room, min(lengths.stride, room // 2)):
            row = [*pieces.opening, *ids[begin:end], pieces.end]
            places = [*[NO_WORD] * len(pieces.opening), *words[begin:end], NO_WORD]
            gold = tags and [IGNORED if word == NO_WORD else tags[word] for word in places]
            yield Feature(i, row, gold, words=places)


def _queries(
    examples: Sequence[Example], pieces: Pieces, lengths: Lengths, index: dict[str, int]
) -> Iterator[Feature]:
    queries = [example for example in examples if isinstance(example, QueryExample)]
    asked = inputs(pieces, [(query.query, "") for query in queries], lengths.max_length)
    answers = inputs(pieces, [(query.answer, query.context) for query in queries], lengths.max_length)
    numbers: dict[tuple[str, str], int] = {}
    for i, (query, first, second) in enumerate(zip(queries, asked, answers, strict=True)):
        number = numbers.setdefault((query.answer, query.context), len(numbers))
        yield Feature(i, first, number)
        yield Feature(i, second, number)


def inputs(pieces: Pieces, texts: Sequence[tuple[str, str]], max_length: int) -> Iterator[list[int]]:
    """Pieces of each text and its context, where it has one; the longer of the two is cut first."""
    firsts = pieces.stream([text for text, _ in texts])
    contexts = pieces.stream([context for _, context in texts])
    for (_, context), one, other in zip(texts, firsts, contexts, strict=True):
        yield pieces.two(one.ids, other.ids, max_length) if context else pieces.one(one.ids, max_length)
