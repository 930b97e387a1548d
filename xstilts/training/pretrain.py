"""Pre-training: masked LM on text, and translation ranking where there are translations.

Translation ranking is the in-batch softmax of a dual encoder (Feng et al. 2022, without the margin):
the mean-pooled hidden state of the retrieval layer of a phrase has to be nearest to that of its own
English translation among all of the batch, in both directions.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from xstilts.data.reading import fields, numbered_lines
from xstilts.errors import DataError
from xstilts.job_settings import PretrainingJob
from xstilts.model import batches
from xstilts.model.batches import Batch
from xstilts.model.checkpoint import LM_HEAD, LanguageModelHead, Model
from xstilts.model.device import seed_of
from xstilts.model.heads import IGNORED, ranking_loss
from xstilts.model.pieces import Pieces
from xstilts.model.pooling import pool
from xstilts.training.loop import Optimisation, Step, optimise

KEPT, RANDOM = 0.1, 0.1  # of the chosen pieces: left as they are, replaced at random (BERT)


@dataclass(frozen=True)
class Corpus:
    """Lines of text and translation pairs as pieces, with special ones; `weights` to draw lines by.

    Pieces are arrays of 32-bit integers, which take less memory than lists.
    """

    lines: list[np.ndarray]
    line_weights: np.ndarray
    pairs: list[tuple[np.ndarray, np.ndarray]]

    @property
    def text_only(self) -> "Corpus":
        """The same without its translation pairs."""
        return Corpus(self.lines, self.line_weights, [])


def read_corpus(folder: Path, model: Model, max_length: int, exponent: float) -> Corpus:
    """The prepared pre-training text of a run (text/<language>.txt and pairs/<language>.tsv).

    Args:
        folder: Where it is.
        model: Whose tokenizer cuts it.
        max_length: Longest input, in pieces; what is longer is cut.
        exponent: Languages are drawn in proportion to their lines to this power.

    Raises:
        DataError: if there is no text, or a file is malformed.
    """
    tokens = model.pieces
    lines: list[np.ndarray] = []
    weights: list[float] = []
    for file in sorted((folder / "text").glob("*.txt")):
        texts = [text for _, text in numbered_lines(file)]
        lines += _rows(tokens, texts, max_length)
        weights += [len(texts) ** (exponent - 1) for _ in texts]
    pairs: list[tuple[np.ndarray, np.ndarray]] = []
    for file in sorted((folder / "pairs").glob("*.tsv")):
        sides = [values for _, values in fields(file, "text english")]
        first, second = (_rows(tokens, [side[i] for side in sides], max_length) for i in (0, 1))
        pairs += zip(first, second, strict=True)
    if not lines:
        raise DataError("there is no text to pre-train on", where=str(folder), hint="see data.source")
    probabilities = np.asarray(weights)
    return Corpus(lines, probabilities / probabilities.sum(), pairs)


def _rows(tokens: Pieces, texts: list[str], max_length: int) -> list[np.ndarray]:
    return [np.array(tokens.one(text.ids, max_length), dtype=np.int32) for text in tokens.stream(texts)]


def pretrain(
    model: Model,
    corpus: Corpus,
    settings: PretrainingJob,
    retrieval_layer: int,
    seed: int,
    log: Callable[[int, float], None],
) -> None:
    """Train the encoder and its masked-LM head in place.

    Args:
        model: The untrained model, on its device.
        corpus: What to train on.
        settings: How.
        retrieval_layer: The hidden state whose mean translation ranking compares.
        seed: Of data order, masks and dropout.
        log: Called with the number of steps done and the step's loss.
    """
    generator = np.random.default_rng(seed_of(seed, LM_HEAD))
    torch.manual_seed(seed_of(seed, LM_HEAD, "dropout"))
    how = Optimisation(
        settings.steps, settings.learning_rate, settings.warmup, settings.weight_decay, settings.clip
    )
    model.train()
    steps = _steps(model, corpus, settings, retrieval_layer, generator)
    optimise(model.modules(), steps, how, "pre-train", log)


def continue_masked_lm(
    model: Model, corpus: Corpus, settings: PretrainingJob, seed: int, log: Callable[[int, float], None]
) -> None:
    """Go on with masked LM alone, from any checkpoint; only a masked-LM head is left or, if need be, added.

    Args and raises as `pretrain`; translations are not used.
    """
    keep_lm_head(model, seed)
    pretrain(model, corpus.text_only, settings, retrieval_layer=0, seed=seed, log=log)


def keep_lm_head(model: Model, seed: int) -> None:
    """Drop all heads but that of masked LM, which is added if there is none."""
    if LM_HEAD not in model.heads:
        torch.manual_seed(seed_of(seed, LM_HEAD, "head"))
        model.add_lm_head()
        model.to(model.encoder.device)
    for name in [name for name in model.heads if name != LM_HEAD]:
        del model.heads[name], model.head_entries[name]


def masked_lm_steps(
    model: Model, corpus: Corpus, settings: PretrainingJob, generator: np.random.Generator
) -> Iterator[Callable[[], Step]]:
    """Endless steps of masked LM alone; translations are not used."""
    return _steps(model, corpus.text_only, settings, 0, generator)


def _steps(
    model: Model, corpus: Corpus, settings: PretrainingJob, layer: int, generator: np.random.Generator
) -> Iterator[Callable[[], Step]]:
    line_rows = _drawn(corpus.lines, corpus.line_weights, settings.batch_lines, generator)
    sides = [[pair[i] for pair in corpus.pairs] for i in (0, 1)]
    lengths = [len(ids) for ids in sides[0]]
    pair_rows = batches.endless(lengths, settings.batch_pairs, generator) if corpus.pairs else None
    device = model.encoder.device

    def step() -> Step:
        rows = next(line_rows)
        batch = batches.collate(corpus.lines, rows, model.pieces.pad, device)
        loss = masked_lm_loss(model, batch, settings.masked, generator)
        if pair_rows is None:
            return Step(loss, len(rows))
        chosen = next(pair_rows)
        first, second = (batches.collate(side, chosen, model.pieces.pad, device) for side in sides)
        loss = loss + translation_loss(model, first, second, layer, settings.temperature)
        return Step(loss, len(rows) + len(chosen))

    while True:
        yield step


def _drawn(
    lines: list[np.ndarray], weights: np.ndarray, size: int, generator: np.random.Generator
) -> Iterator[list[int]]:
    """Batches of lines drawn by weight, with replacement, of similar length."""
    while True:
        rows = generator.choice(len(lines), size=size * batches.POOL, p=weights)
        ordered = sorted(rows.tolist(), key=lambda row: len(lines[row]))
        for i in generator.permutation(batches.POOL):
            yield ordered[i * size : (i + 1) * size]


def mask_pieces(
    ids: np.ndarray,
    maskable: np.ndarray,
    share: float,
    mask: int,
    vocabulary: int,
    generator: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:
    """BERT's masking: of the chosen pieces 80 % become the mask, 10 % a random piece, 10 % stay.

    Args:
        ids: Pieces (rows, length).
        maskable: Which of them may be chosen.
        share: Probability of being chosen.
        mask: Id of the mask.
        vocabulary: Number of pieces.
        generator: Source of randomness.

    Returns:
        The altered ids, and the gold pieces with IGNORED where none was chosen.
    """
    chosen = (generator.random(ids.shape) < share) & maskable
    if not chosen.any():
        chosen.flat[int(np.flatnonzero(maskable)[0]) if maskable.any() else 0] = True
    fate = generator.random(ids.shape)
    altered = np.where(chosen & (fate >= KEPT + RANDOM), mask, ids)
    randoms = generator.integers(0, vocabulary, ids.shape)
    altered = np.where(chosen & (fate >= KEPT) & (fate < KEPT + RANDOM), randoms, altered)
    return altered, np.where(chosen, ids, IGNORED)


def masked_lm_loss(model: Model, batch: Batch, share: float, generator: np.random.Generator) -> Tensor:
    """Mean cross-entropy of the masked pieces (Devlin et al. 2019)."""
    ids = batch.ids.cpu().numpy()
    maskable = ~np.isin(ids, model.pieces.special)
    altered, gold = mask_pieces(ids, maskable, share, model.pieces.mask, len(model.pieces), generator)
    inputs = torch.from_numpy(altered).to(batch.ids.device)
    wanted = torch.from_numpy(gold).to(batch.ids.device)
    hidden = model.encoder(input_ids=inputs, attention_mask=batch.mask).last_hidden_state
    chosen = wanted != IGNORED
    head = model.heads[LM_HEAD]
    assert isinstance(head, LanguageModelHead)
    logits = head(hidden[chosen], model.encoder.get_input_embeddings().weight)
    return functional.cross_entropy(logits, wanted[chosen])


def translation_loss(model: Model, first: Batch, second: Batch, layer: int, temperature: float) -> Tensor:
    """Mean in-batch softmax loss of both directions."""
    sides = [
        functional.normalize(pool(model.encoder, batch, layer, "mean", model.pieces.special), dim=-1)
        for batch in (first, second)
    ]
    similarity = sides[0] @ sides[1].T / temperature
    return (ranking_loss(similarity) + ranking_loss(similarity.T)) / 2
