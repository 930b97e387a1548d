"""Settings of the jobs that make models and predictions: what the configuration says, and what a job gets.

They stand apart from xstilts.settings because jobs import them: a new key of a study or of the run must
not retrain a model. A job gets its settings as JSON, with every value that varies resolved for it.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from xstilts.registry import TrainingTask
from xstilts.varied import Varied

SHORTEST = 8  # pieces; less does not hold the special pieces of a pair and one piece of each text

Positive = Annotated[int, Field(gt=0)]
Length = Annotated[int, Field(ge=SHORTEST)]
Count = Annotated[int, Field(ge=0)]
Share = Annotated[float, Field(ge=0, le=1)]
Amount = Annotated[float, Field(ge=0)]
PositiveAmount = Annotated[float, Field(gt=0)]
BUDGET = (
    "Pieces per micro-batch, padding included: a step that has more is cut, and the gradients are added up"
)
RESTARTS = (
    "How often a training whose loss is no number, or has diverged, goes on from its last good state with "
    "the next seed; the card and the report say so"
)
Pool = Literal["mean", "mean_words", "cls"]
Precision = Literal["auto", "float32", "bfloat16"]


class Section(BaseModel):
    """Base of all sections: immutable, and strict about unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class Architecture(Section):
    """The shape of an XLM-R-shaped encoder that the run pre-trains itself."""

    layers: Positive = Field(description="Transformer layers")
    hidden: Positive = Field(description="Width of the hidden states")
    heads: Positive = Field(description="Attention heads per layer")
    feed_forward: Positive = Field(description="Width of the feed-forward layers")
    positions: Length = Field(description="Longest input, in pieces")
    dropout: Share = Field(0.1, description="Dropout of hidden states and attention")

    @model_validator(mode="after")
    def _heads_divide_width(self) -> "Architecture":
        if self.hidden % self.heads:
            raise ValueError(f"hidden ({self.hidden}) is not a multiple of heads ({self.heads})")
        return self


class TokenizerSettings(Section):
    """The tokenizer of the models that the run pre-trains: byte-pair encoding, in SentencePiece's manner."""

    vocabulary: Positive = Field(description="Pieces, special ones included")
    lines: Positive | None = Field(None, description="Cap on the lines per language to learn from; null: all")
    coverage: Share = Field(
        0.9995, description="Share of the characters that gets pieces; rarer ones become the unknown piece"
    )


class PretrainingSettings(Section):
    """Masked LM on the run's text and, where the source has translations, translation ranking."""

    steps: Varied[Positive] = Field(description="Optimiser steps")
    learning_rate: Varied[PositiveAmount] = Field(description="Peak learning rate")
    warmup: Share = Field(0.1, description="Share of the steps over which the learning rate rises")
    weight_decay: Amount = Field(0.01, description="AdamW's weight decay")
    clip: PositiveAmount = Field(1.0, description="Largest norm of the gradient")
    batch_lines: Positive = Field(description="Lines of text per step")
    batch_pairs: Positive = Field(description="Translation pairs per step, each the others' negative")
    masked: Share = Field(0.15, description="Share of the pieces that is predicted")
    temperature: PositiveAmount = Field(0.05, description="Temperature of the translation-ranking softmax")
    max_length: Length = Field(description="Longest input, in pieces")
    batch_tokens: Positive = Field(16384, description=BUDGET)
    restarts: Count = Field(0, description=RESTARTS)
    sampling_exponent: Share = Field(
        1.0, description="Languages are drawn in proportion to their lines to this power (XLM-R: 0.3)"
    )


class PretrainingJob(PretrainingSettings):
    """Pre-training of one model."""

    steps: Positive
    learning_rate: PositiveAmount


class TrainingSettings(Section):
    """Fine-tuning of one stage.

    Its tasks share one learning rate, warm-up, decay, clip and number of selections: the smallest of
    their values. Epochs, batch size, its cut into micro-batches and lengths stay each task's own.
    """

    epochs: Varied[PositiveAmount] = Field(description="Passes over the training examples")
    learning_rate: Varied[PositiveAmount] = Field(description="Peak learning rate")
    batch_size: Varied[Positive] = Field(description="Examples per step")
    max_length: Varied[Length] = Field(
        description="Longest input, in pieces; longer texts are cut or windowed"
    )
    stride: Varied[Count] = Field(32, description="Overlap of neighbouring windows, in pieces")
    warmup: Varied[Share] = Field(0.1, description="Share of the steps over which the learning rate rises")
    weight_decay: Varied[Amount] = Field(0.0, description="AdamW's weight decay")
    embedding: Varied[Pool] = Field(
        "cls",
        description="What a dual encoder makes a text's vector of: the first piece (as XTREME-R does) or a "
        "mean, as `retrieval.pool`",
    )
    clip: Varied[PositiveAmount] = Field(1.0, description="Largest norm of the gradient")
    selections: Varied[Positive] = Field(
        4, description="How often the English dev set is scored; the best is kept"
    )
    batch_tokens: Varied[Positive] = Field(16384, description=BUDGET)
    mixture_cap: Varied[Positive | None] = Field(
        None, description="Most examples of a task that count for its share of a mixture's steps; null: all"
    )
    mixture_temperature: Varied[PositiveAmount] = Field(
        1.0, description="Shares of a mixture's steps are as sizes to the power of 1 / temperature"
    )
    gradient_checkpointing: Varied[bool] = Field(
        False, description="Compute hidden states twice instead of keeping them: less memory, more time"
    )
    restarts: Varied[Count] = Field(0, description=RESTARTS)


class PartJob(Section):
    """One task of one stage.

    `max_answer` is for span tasks only, `stride` for tagging too, `embedding` for dual encoders only.
    """

    entry: TrainingTask
    examples: Positive | None
    epochs: PositiveAmount
    batch_size: Positive
    batch_tokens: Positive
    max_length: Length
    stride: Count | None = None
    max_answer: Positive | None = None
    embedding: Pool | None = None


class StageJob(Section):
    """One stage: what its tasks share, each task's own, and masked LM's, where it is one of them."""

    learning_rate: PositiveAmount
    warmup: Share
    weight_decay: Amount
    clip: PositiveAmount
    selections: Positive
    mixture_cap: Positive | None = None
    mixture_temperature: PositiveAmount = 1.0
    gradient_checkpointing: bool = False
    restarts: Count = 0
    parts: dict[str, PartJob]
    masked_lm: PretrainingJob | None = None


class TaskPredictionJob(Section):
    """Predictions of one task by a head; `max_answer` is for span tasks only, `stride` for tagging too."""

    head: str
    max_length: Length
    stride: Count | None = None
    max_answer: Positive | None = None
    batch_tokens: Positive


class PoolPredictionJob(Section):
    """The rankings of one pool by a dual encoder."""

    head: str
    max_length: Length
    embedding: Pool
    batch_tokens: Positive


class RetrievalSettings(Section):
    """How sentences are compared; recorded with every score as layer-pool-direction-similarity.

    Mining (BUCC 2018) looks in both directions and always by margin: there the direction is `pairs`.
    """

    pool: Pool = Field(
        "mean", description="`mean` over all pieces, `mean_words` without special pieces, or the first piece"
    )
    direction: Literal["en2xx", "xx2en"] = Field(
        "en2xx", description="`en2xx`: English lines query the other language's, as in XTREME's code"
    )
    similarity: Literal["cosine", "margin"] = Field(
        "cosine", description="What ranks: the cosine of two embeddings, or its margin over their neighbours'"
    )
    neighbours: Positive = Field(4, description="How many nearest ones a margin looks at on either side")
    pairs: Literal["max", "intersection"] = Field(
        "max",
        description="What mining keeps: the best of every sentence of either side, from the greatest margin "
        "down and as long as both are free, or what is the best of both",
    )


class RetrievalPredictionJob(Section):
    """Predictions of one retrieval task; without `layer`, the model's default; `neighbours` if by margin."""

    layer: Positive | None
    pool: Pool
    direction: Literal["en2xx", "xx2en"]
    similarity: Literal["cosine", "margin"]
    neighbours: Positive | None = None
    batch_tokens: Positive

    def setting(self, layer: int) -> str:
        """What scores.tsv calls it, with the layer that is read."""
        return f"{layer}-{self.pool}-{self.direction}-{self.similarity}"


class MiningPredictionJob(Section):
    """Pairs mined for one task; without `layer`, the model's default."""

    layer: Positive | None
    pool: Pool
    pairs: Literal["max", "intersection"]
    neighbours: Positive
    batch_tokens: Positive

    def setting(self, layer: int) -> str:
        """What scores.tsv calls it, with the layer that is read."""
        return f"{layer}-{self.pool}-{self.pairs}-margin"
