"""Subword fertility: how many pieces a tokenizer needs for a language, relative to English.

Pieces per piece of the aligned English text and not per word, since words are undefined in Chinese,
Japanese and Thai.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import pandas as pd
from tokenizers import Tokenizer

from xstilts.data.examples import ParallelExample
from xstilts.errors import CheckpointError, DataError

BATCH = 1000


def load_tokenizer(folder: Path) -> Tokenizer:
    """The tokenizer of a model folder, without the padding and truncation that it may be saved with.

    Raises:
        CheckpointError: if the folder holds no readable tokenizer.json.
    """
    path = folder / "tokenizer.json"
    try:
        tokenizer = Tokenizer.from_str(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise CheckpointError("no tokenizer.json", where=str(folder), hint="give a model's folder") from error
    except Exception as error:  # the library raises nothing more exact
        raise CheckpointError(f"tokenizer.json cannot be read: {error}", where=str(path)) from error
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer


def fertility_table(tokenizer: Tokenizer, examples: Mapping[str, Iterable[ParallelExample]]) -> pd.DataFrame:
    """Fertility in each language of `examples`, sorted by language.

    Columns: language, pieces (of the language's text), english_pieces (of its translation) and fertility,
    their ratio; special tokens are not counted.

    Raises:
        DataError: if a language has no example, or none with an English piece.
    """
    return pd.DataFrame(
        [_row(tokenizer, language, list(examples[language])) for language in sorted(examples)],
        columns=["language", "pieces", "english_pieces", "fertility"],
    )


def _row(tokenizer: Tokenizer, language: str, examples: Sequence[ParallelExample]) -> dict[str, object]:
    pieces = count_pieces(tokenizer, [example.text for example in examples])
    english = count_pieces(tokenizer, [example.english for example in examples])
    if english == 0:
        raise DataError(
            "there is no English text to measure fertility by",
            where=f"{language}, {len(examples)} examples",
            hint="leave the language out, or give it parallel examples",
        )
    return {"language": language, "pieces": pieces, "english_pieces": english, "fertility": pieces / english}


def count_pieces(tokenizer: Tokenizer, texts: Sequence[str]) -> int:
    """Number of pieces of all texts together, without special tokens."""
    batches = (texts[start : start + BATCH] for start in range(0, len(texts), BATCH))
    encode = tokenizer.encode_batch_fast
    return sum(len(encoded) for batch in batches for encoded in encode(batch, add_special_tokens=False))
