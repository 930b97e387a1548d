"""The tokenizer as the models need it: pieces with offsets, and the special pieces by name.

Wraps a `tokenizer.json` of the `tokenizers` library, so that one class serves the run's own
tokenizers and those of the hub. Special pieces are added here and not by a post-processor, because
windows and word-by-word encoding need to know where they stand.
"""

from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

from tokenizers import Tokenizer

from xstilts.errors import CheckpointError

FILE = "tokenizer.json"
CHUNK = 1024  # texts whose offsets are held in memory at once
_STYLES: tuple[tuple[str | None, str, str, str | None, str, int], ...] = (
    ("<s>", "</s>", "<pad>", "<mask>", "<unk>", 2),
    ("[CLS]", "[SEP]", "[PAD]", "[MASK]", "[UNK]", 1),
    (None, "</s>", "<pad>", None, "<unk>", 1),
)


class Encoded(NamedTuple):
    """Pieces of one text: ids, and the character offsets (start, end) of each in the text."""

    ids: list[int]
    offsets: list[tuple[int, int]]


class Pieces:
    """Text to pieces, with the special pieces of XLM-R's, BERT's or mT5's style.

    An mT5 has no piece at the start and none that masks: `start` and `mask` are None.

    Raises:
        CheckpointError: if the folder holds no readable tokenizer of any of the styles.
    """

    start: int | None
    end: int
    pad: int
    mask: int | None
    unknown: int

    def __init__(self, folder: Path) -> None:
        path = folder / FILE
        try:
            self.tokenizer = Tokenizer.from_file(str(path))
        except Exception as error:  # the library raises bare Exception
            raise CheckpointError(
                f"no readable tokenizer: {error}", where=str(path), hint=_hint(folder)
            ) from error
        self.tokenizer.encode_special_tokens = True  # "<s>" in a text is text
        self.tokenizer.no_truncation()
        self.tokenizer.no_padding()
        normalise = self.tokenizer.normalizer.normalize_str if self.tokenizer.normalizer else str
        self._drops = cache(lambda character: normalise(character + "a") == normalise("a"))
        for start, end, pad, mask, unknown, separators in _STYLES:
            named: list[str] = [piece for piece in (end, pad, unknown, start, mask) if piece is not None]
            ids = [int(i) for name in named if (i := self.tokenizer.token_to_id(name)) is not None]
            if len(ids) == len(named):
                self.end, self.pad, self.unknown, *others = ids
                self.start, self.mask = others or (None, None)
                self.separators = separators
                return
        raise CheckpointError(
            "the tokenizer has the special pieces of neither XLM-R's nor BERT's nor mT5's style",
            where=str(path),
            hint="use a model of one of these families",
        )

    def __len__(self) -> int:
        return int(self.tokenizer.get_vocab_size())

    @property
    def special(self) -> list[int]:
        """Ids of the special pieces."""
        every = [self.start, self.end, self.pad, self.mask, self.unknown]
        return [piece for piece in every if piece is not None]

    @property
    def opening(self) -> list[int]:
        """What every input begins with: the start piece, where there is one."""
        return [] if self.start is None else [self.start]

    def encode(self, texts: Sequence[str]) -> list[Encoded]:
        """Pieces of each text, without special ones.

        Characters at the beginning that the normaliser drops are left out: the library's precompiled
        normaliser (XLM-R's) does not count them, and all offsets would be too low.
        """
        dropped, kept = self._kept(texts)
        batch = self.tokenizer.encode_batch(kept, add_special_tokens=False)
        return [
            Encoded(item.ids, _shifted(item.offsets, count))
            for item, count in zip(batch, dropped, strict=True)
        ]

    def ids(self, texts: Sequence[str]) -> list[list[int]]:
        """The ids of `encode` alone: quicker, and no offsets in memory."""
        _, kept = self._kept(texts)
        return [item.ids for item in self.tokenizer.encode_batch_fast(kept, add_special_tokens=False)]

    def _kept(self, texts: Sequence[str]) -> tuple[list[int], list[str]]:
        """How many characters are dropped at the beginning of each text, and what is left."""
        dropped = [self._dropped(text) for text in texts]
        return dropped, [text[count:] for text, count in zip(texts, dropped, strict=True)]

    def _dropped(self, text: str) -> int:
        return next((i for i, character in enumerate(text) if not self._drops(character)), len(text))

    def stream(self, texts: Sequence[str]) -> Iterator[Encoded]:
        """The same one by one, so that the offsets of a whole data set need not be in memory."""
        for begin in range(0, len(texts), CHUNK):
            yield from self.encode(texts[begin : begin + CHUNK])

    def words(self, words: Sequence[str]) -> list[list[int]]:
        """Pieces of each word; a word that leaves none (zero-width characters) is one unknown piece."""
        return [encoded.ids or [self.unknown] for encoded in self.encode(words)]

    def one(self, ids: list[int], max_length: int) -> list[int]:
        """One text with its special pieces, cut to `max_length`."""
        return [*self.opening, *ids[: max_length - len(self.opening) - 1], self.end]

    def two(self, first: list[int], second: list[int], max_length: int) -> list[int]:
        """Two texts with their special pieces; the longer one is cut first to fit `max_length`."""
        room = max_length - len(self.opening) - 1 - self.separators
        keep_second = min(len(second), max(room - len(first), room // 2))
        keep_first = min(len(first), room - keep_second)
        between = [self.end] * self.separators
        return [*self.opening, *first[:keep_first], *between, *second[:keep_second], self.end]


def _hint(folder: Path) -> str:
    if list(folder.glob("*.model")):
        return (
            "only SentencePiece's own file is there: write tokenizer.json beside it with transformers "
            "(AutoTokenizer.from_pretrained(folder).save_pretrained(folder), which needs sentencepiece)"
        )
    return "delete the folder so that it is made again, or point the model to a whole one"


def _shifted(offsets: list[tuple[int, int]], by: int) -> list[tuple[int, int]]:
    return [(begin + by, end + by) for begin, end in offsets] if by else offsets
