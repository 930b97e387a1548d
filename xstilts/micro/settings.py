"""What micro-XTREME is made of: the languages, and how much of everything there is."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Positive = Annotated[int, Field(gt=0)]


class MicroSettings(BaseModel):
    """Sizes and seed of the generated data sets; the same settings give the same bytes."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    seed: int = Field(default=1, description="Seed of everything that is drawn")
    languages: tuple[str, ...] | None = Field(
        default=None, description="Languages besides English; null: all that CLDR covers well enough"
    )
    text_lines: Positive = Field(
        default=6000, description="Lines of pre-training text for the largest language"
    )
    pair_lines: Positive = Field(
        default=6000, description="Phrases with their translation for the largest language"
    )
    fewest_lines: Positive = Field(
        default=300, description="Lines and phrases of the smallest languages, also of those unseen in CC-100"
    )
    size_exponent: float = Field(
        default=0.3,
        ge=0,
        le=1,
        description="Lines are proportional to CC-100 size raised to this (XLM-R samples with 0.3)",
    )
    retrieval_phrases: Positive = Field(default=400, description="Phrases of each retrieval test set")
    train_examples: Positive = Field(default=2400, description="English training examples of each task")
    dev_examples: Positive = Field(default=400, description="English development examples of each task")
    evaluation_examples: Positive = Field(
        default=200, description="Evaluation examples per task and language"
    )
    tydiqa_train_languages: tuple[str, ...] = Field(
        default=("ar", "bn", "en", "fi", "id", "ko", "ru", "sw", "te"),
        description="Languages with TyDiQA training examples",
    )
    tydiqa_train_examples: Positive = Field(default=600, description="TyDiQA training examples per language")
