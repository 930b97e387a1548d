"""The run's own tokenizer: a Unigram model in SentencePiece's manner, with XLM-R's special pieces."""

import os
from collections.abc import Iterator
from pathlib import Path

from xstilts.errors import DataError

SPECIAL = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]


def train(texts: Iterator[str], vocabulary: int, output: Path) -> None:
    """Learn pieces from texts and write tokenizer.json into the folder `output`.

    NFKC and case are as in XLM-R: normalised, and kept.

    Raises:
        DataError: if there is no text.
    """
    os.environ["RAYON_NUM_THREADS"] = "1"  # sums of several threads would differ from run to run
    from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.Unigram())
    collapse = normalizers.Replace(Regex(r"\s+"), " ")
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), collapse])
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    trainer = trainers.UnigramTrainer(
        vocab_size=vocabulary, special_tokens=SPECIAL, unk_token="<unk>", show_progress=False
    )
    tokenizer.train_from_iterator(texts, trainer)
    if tokenizer.get_vocab_size() <= len(SPECIAL):
        raise DataError("there is no text to learn a tokenizer from", where=str(output))
    output.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(output / "tokenizer.json"), pretty=False)
