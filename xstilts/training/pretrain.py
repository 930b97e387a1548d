"""Pre-training: masked LM on text, and translation ranking where there are translations.

Translation ranking is the in-batch softmax of a dual encoder (Feng et al. 2022, without the margin):
the mean-pooled hidden state of the retrieval layer of a phrase has to be nearest to that of its own
English translation among all of the batch, in both directions.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import count
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
from xstilts.model.heads import IGNORED, cosines, ranking_loss
from xstilts.model.pieces import Pieces
from xstilts.model.pooling import pool
from xstilts.training.loop import Draw, Loop, Optimisation, Step, Watcher
from xstilts.training.place import HERE, Place

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
    log: Watcher,
    place: Place = HERE,
) -> Loop:
    """Train the encoder and its masked-LM head in place.

    Args:
        model: The untrained model, on its device.
        corpus: What to train on.
        settings: How.
        retrieval_layer: The hidden state whose mean translation ranking compares.
        seed: Of data order, masks and dropout.
        log: Told of every step's loss.
        place: Where it runs and is kept.

    Returns:
        The training that was done.

    Raises:
        TrainingError: if the loss is not finite or diverges.
    """
    torch.manual_seed(seed_of(seed, LM_HEAD, "dropout"))
    how = Optimisation(
        settings.steps,
        settings.learning_rate,
        settings.warmup,
        settings.weight_decay,
        settings.clip,
        settings.restarts,
    )
    model.train()

    def steps(restart: int) -> Iterator[Draw]:
        return _steps(model, corpus, settings, retrieval_layer, order_seed(seed, LM_HEAD, restart))

    loop = Loop(model.modules(), steps, how, "pre-train", seed, log, place)
    loop.run()
    return loop


def continue_masked_lm(
    model: Model,
    corpus: Corpus,
    settings: PretrainingJob,
    seed: int,
    log: Watcher,
    place: Place = HERE,
) -> Loop:
    """Go on with masked LM alone, from any checkpoint; only a masked-LM head is left or, if need be, added.

    Args, returns and raises as `pretrain`; translations are not used.
    """
    keep_lm_head(model, seed)
    return pretrain(model, corpus.text_only, settings, 0, seed, log, place)


def order_seed(seed: int, name: str, restart: int) -> int:
    """The seed of the order of data, another one after every restart."""
    return seed_of(seed, name, "order", *([f"restart {restart}"] if restart else []))


def keep_lm_head(model: Model, seed: int) -> None:
    """Drop all heads but that of masked LM, which is added if there is none."""
    if LM_HEAD not in model.heads:
        torch.manual_seed(seed_of(seed, LM_HEAD, "head"))
        model.add_lm_head()
        model.to(model.encoder.device)
    for name in [name for name in model.heads if name != LM_HEAD]:
        del model.heads[name], model.head_entries[name]


def masked_lm_steps(model: Model, corpus: Corpus, settings: PretrainingJob, seed: int) -> Iterator[Draw]:
    """Endless steps of masked LM alone; translations are not used."""
    return _steps(model, corpus.text_only, settings, 0, seed)


def _steps(model: Model, corpus: Corpus, settings: PretrainingJob, layer: int, seed: int) -> Iterator[Draw]:
    """Draws whose lines and pairs are fixed when they are drawn, and whose masks follow from their number."""
    generator = np.random.default_rng(seed)
    line_rows = _drawn(corpus.lines, corpus.line_weights, settings.batch_lines, generator)
    sides = [[pair[i] for pair in corpus.pairs] for i in (0, 1)]
    lengths = [len(ids) for ids in sides[0]]
    pair_rows = batches.endless(lengths, settings.batch_pairs, generator) if corpus.pairs else None

    def step(number: int, lines: list[np.ndarray], pairs: list[list[np.ndarray]]) -> Step:
        losses = masked_lm_losses(model, lines, settings, np.random.default_rng((seed, number)))
        if pairs:
            losses.append(partial(_translation_loss, model, pairs, layer, settings.temperature))
        drawn = [lines, *pairs]
        pieces = sum(len(ids) for rows in drawn for ids in rows)
        return Step(losses, LM_HEAD, sum(map(len, drawn[:2])), pieces)

    for number in count():
        lines = [corpus.lines[row] for row in next(line_rows)]
        chosen = next(pair_rows) if pair_rows else []
        yield partial(step, number, lines, [[side[row] for row in chosen] for side in sides if chosen])


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


def masked_lm_losses(
    model: Model, lines: list[np.ndarray], settings: PretrainingJob, generator: np.random.Generator
) -> list[Callable[[], Tensor]]:
    """The mean cross-entropy of the masked pieces (Devlin et al. 2019), in summands within the token budget.

    Args:
        model: With a masked-LM head.
        lines: Pieces of each line, special ones included.
        settings: The share that is masked, and the budget.
        generator: Of the masks.
    """
    assert model.pieces.mask is not None  # or there were no masked-LM head
    ids = batches.pad(lines, model.pieces.pad).numpy()
    maskable = ~np.isin(ids, model.pieces.special)
    altered, gold = mask_pieces(
        ids, maskable, settings.masked, model.pieces.mask, len(model.pieces), generator
    )
    weight = int((gold != IGNORED).sum())
    lengths = [len(line) for line in lines]
    return [
        partial(_masked_lm_loss, model, altered, gold, [lengths[row] for row in rows], rows, weight)
        for rows in batches.within(settings.batch_tokens, lengths, [1] * len(lines))
    ]


def _masked_lm_loss(
    model: Model, altered: np.ndarray, gold: np.ndarray, lengths: list[int], rows: list[int], weight: int
) -> Tensor:
    inputs = [altered[row, :length] for row, length in zip(rows, lengths, strict=True)]
    batch = batches.collate(inputs, list(range(len(rows))), model.pieces.pad, model.encoder.device)
    wanted = torch.from_numpy(gold[rows, : max(lengths)]).to(batch.ids.device)
    hidden = model.encoder(input_ids=batch.ids, attention_mask=batch.mask).last_hidden_state
    chosen = wanted != IGNORED
    head = model.heads[LM_HEAD]
    assert isinstance(head, LanguageModelHead)
    logits = head(hidden[chosen], model.encoder.get_input_embeddings().weight)
    return functional.cross_entropy(logits.float(), wanted[chosen], reduction="sum") / weight


def _translation_loss(model: Model, pairs: list[list[np.ndarray]], layer: int, temperature: float) -> Tensor:
    device = model.encoder.device
    first, second = (
        batches.collate(side, list(range(len(side))), model.pieces.pad, device) for side in pairs
    )
    return translation_loss(model, first, second, layer, temperature)


def translation_loss(model: Model, first: Batch, second: Batch, layer: int, temperature: float) -> Tensor:
    """Mean in-batch softmax loss of both directions; the whole batch at once, whose rows are negatives."""
    sides = [
        functional.normalize(pool(model.encoder, batch, layer, "mean", model.pieces.special).float(), dim=-1)
        for batch in (first, second)
    ]
    similarity = cosines(sides[0], sides[1]) / temperature
    return (ranking_loss(similarity) + ranking_loss(similarity.T)) / 2
