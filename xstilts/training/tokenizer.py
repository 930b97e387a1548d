"""The run's own tokenizer: byte-pair encoding in SentencePiece's manner, with XLM-R's special pieces.

Not XLM-R's Unigram model: the library's trainer of that goes through hash tables in random order, so that
no two runs number their pieces alike. Merges of pairs are the same in every run.
"""

import unicodedata
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from xstilts.errors import ConfigError, DataError

UNKNOWN = "<unk>"
SPECIAL = ["<s>", "<pad>", "</s>", UNKNOWN, "<mask>"]
LONGEST = 16  # characters of a piece, as in SentencePiece


def train(texts: Sequence[str], vocabulary: int, coverage: float, output: Path) -> None:
    """Learn pieces from texts and write tokenizer.json into the folder `output`.

    NFKC and case are as in XLM-R: normalised, and kept.

    Args:
        texts: What to learn from.
        vocabulary: Number of pieces, special ones included.
        coverage: Share of the characters that gets pieces; rarer characters become the unknown piece
            (SentencePiece's character_coverage).
        output: Folder, made if need be.

    Raises:
        DataError: if there is no text.
        ConfigError: if the vocabulary does not hold all characters.
    """
    from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

    common = common_characters(texts, coverage)
    if not common:
        raise DataError("there is no text to learn a tokenizer from", where=str(output))
    if len(common) + len(SPECIAL) >= vocabulary:
        raise ConfigError(
            f"{vocabulary} pieces do not hold the {len(common)} characters of the text",
            where="tokenizer.vocabulary",
            hint="raise tokenizer.vocabulary or lower tokenizer.coverage",
        )
    tokenizer = Tokenizer(models.BPE(unk_token=UNKNOWN, fuse_unk=True))
    collapse = normalizers.Replace(Regex(r"\s+"), " ")
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), collapse])
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary, special_tokens=SPECIAL, max_token_length=LONGEST, show_progress=False
    )
    tokenizer.train_from_iterator((_only(text, common) for text in texts), trainer)
    output.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(output / "tokenizer.json"), pretty=False)


def common_characters(texts: Sequence[str], coverage: float) -> frozenset[str]:
    """The fewest characters (after NFKC, without spaces) that make up a share of all that are written."""
    counts = Counter(character for text in texts for character in _characters(text))
    left = coverage * counts.total()
    chosen = set()
    for character, count in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
        if left <= 0:
            break
        chosen.add(character)
        left -= count
    return frozenset(chosen)


def _characters(text: str) -> str:
    return "".join(unicodedata.normalize("NFKC", text).split())


def _only(text: str, common: frozenset[str]) -> str:
    """The text with a space for every other character."""
    normal = unicodedata.normalize("NFKC", text)
    return "".join(character if character in common else " " for character in normal)
