"""Tokenizers of the four kinds that the models have, over the lines of tiny_models.

- `bpe`: the project's own;
- `unigram`: SentencePiece's Unigram behind a precompiled map of characters, as XLM-R has it;
- `mt5`: the same, with no piece at the start and none that masks;
- `wordpiece`: mBERT's, with its cleaning of texts and its splitting at punctuation and ideographs.
"""

import struct
import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

from tests.unit.tiny_models import LINES, train_tokenizer

KINDS = ["bpe", "unigram", "mt5", "wordpiece"]
LONGEST = 5  # characters of a piece
SPACES = "\t\n\r\u1680\u200b\u200e\u200f\u2028\u2029\u2581\ufeff\ufffd"
COMPOSED = (
    "éèêëáàâäóòôöíìîïúùûüñçșțăšžřůȅकक़ख़ग़ड़ढ़がぎぐげござじずぜぞだぢづでどばびぶべぼぱぴぷぺぽ가각간나다라"
)


def make(kind: str, folder: Path, lines: Sequence[str] = LINES) -> Path:
    """A folder with a tokenizer of one of the KINDS; `lines` are for `unigram` and `mt5` to learn from."""
    if kind == "bpe":
        return train_tokenizer(folder)
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = _wordpiece() if kind == "wordpiece" else _unigram(kind, lines)
    tokenizer.save(str(folder / "tokenizer.json"))
    return folder


def _unigram(kind: str, lines: Sequence[str]) -> Tokenizer:
    counts = Counter(part for word in _words(lines) for part in _parts(f"▁{word}"))
    total = counts.total()
    first, masks = (
        (["<pad>", "</s>", "<unk>"], []) if kind == "mt5" else (["<s>", "<pad>", "</s>", "<unk>"], ["<mask>"])
    )
    special = [(piece, 0.0) for piece in first]
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    scored = [(piece, count / total * len(piece) ** 2 - 10.0) for piece, count in ranked]
    tokenizer = Tokenizer(models.Unigram([*special, *scored], unk_id=len(first) - 1, byte_fallback=False))
    tokenizer.normalizer = normalizers.Precompiled(_precompiled(_character_map()))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace(prepend_scheme="always")]
    )
    tokenizer.add_special_tokens([*first, *masks])
    return tokenizer


def _wordpiece() -> Tokenizer:
    tokenizer = Tokenizer(models.WordPiece({}, unk_token="[UNK]", max_input_chars_per_word=100))
    tokenizer.normalizer = normalizers.BertNormalizer(
        clean_text=True, handle_chinese_chars=True, strip_accents=False, lowercase=False
    )
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    words = {
        word
        for line in LINES
        for word, _ in tokenizer.pre_tokenizer.pre_tokenize_str(tokenizer.normalizer.normalize_str(line))
    }
    starts = {word[:length] for word in words for length in range(1, LONGEST)}
    rest = {
        f"##{word[at : at + length]}" for word in words for at in range(1, len(word)) for length in (1, 2)
    }
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *sorted(starts), *sorted(rest)]
    tokenizer.model = models.WordPiece(
        {piece: i for i, piece in enumerate(pieces)}, unk_token="[UNK]", max_input_chars_per_word=100
    )
    return tokenizer


def _words(lines: Sequence[str]) -> Iterator[str]:
    for line in lines:
        yield from unicodedata.normalize("NFKC", line).split()


def _parts(word: str) -> Iterator[str]:
    for start in range(len(word)):
        for stop in range(start + 1, min(start + LONGEST, len(word)) + 1):
            yield word[start:stop]


def _character_map() -> dict[str, str]:
    """Like SentencePiece's nmt_nfkc: NFKC, no control characters, marks of direction and width as spaces."""
    every = [chr(code) for code in (*range(1, 0x3400), *range(0xF900, 0x10000))]
    single = {c: unicodedata.normalize("NFKC", c) for c in every if unicodedata.normalize("NFKC", c) != c}
    controls = {chr(code): "" for code in [*range(1, 9), 11, *range(14, 32), 127, 0x8F, 0x9F]}
    joined = {unicodedata.normalize("NFD", c): unicodedata.normalize("NFKC", c) for c in COMPOSED}
    spaces = dict.fromkeys(SPACES, " ")
    return {key: value for key, value in (single | controls | joined | spaces).items() if key != value}


def _precompiled(mapping: Mapping[str, str]) -> bytes:
    """A map of characters in SentencePiece's binary form: a double array (Darts-clone), then the texts."""
    texts, places = bytearray(), {}
    for value in sorted(set(mapping.values())):
        places[value] = len(texts)
        texts += value.encode() + b"\0"
    trie: dict[int, dict] = {}
    for key, value in mapping.items():
        node = trie
        for byte in key.encode():
            node = node.setdefault(byte, {})
        node[0] = places[value]
    units = _double_array(trie)
    return struct.pack("<I", 4 * len(units)) + struct.pack(f"<{len(units)}I", *units) + bytes(texts)


def _double_array(trie: dict[int, dict]) -> list[int]:
    """Units of Darts-clone: label in bits 0 to 7, whether a value follows in 8, offset from 10 on."""
    units: dict[int, int] = {0: 0}
    waiting, free, block = [(0, trie)], 256, 1 << 18
    while waiting:
        place, node = waiting.pop()
        if len(node) > 1:  # a block of its own: no two nodes may have the same base
            base, block = block, block + 256
        else:
            base, free = free ^ next(iter(node)), free + 256
        units[place] |= (place ^ base) << 10 | (0 in node) << 8
        for byte, child in node.items():
            units[base ^ byte] = (child | 1 << 31) if byte == 0 else byte
            if byte:
                waiting.append((base ^ byte, child))
    return [units.get(place, 0) for place in range((max(units) | 255) + 1)]
