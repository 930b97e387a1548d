"""What a claim may know of a run besides its scores. Light: the workflow makes it, as a job's parameter."""

from pydantic import BaseModel, ConfigDict


class RunFacts(BaseModel):
    """One run: what it is made of, what it plans, and which data are locked.

    Attributes:
        name: Its name.
        miniature: Whether its numbers may speak for themselves alone.
        source: `micro`, `mirror` or `hub`.
        models: The public repository that each model starts from, by name, the primary one first; empty
            where the run pre-trains the model itself, or its folder is not said to hold a public one.
        stages: Intermediate recipe, target stage (`-`: none) and task of every score that is planned.
        scores_are_given: Whether its scores are published ones: then it has no models, stages and data.
        locked: Examples per language of each `<data set>/<split>` that the data lock counts.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    miniature: bool
    source: str
    models: dict[str, str]
    stages: list[tuple[str, str, str]]
    scores_are_given: bool = False
    locked: dict[str, dict[str, int]] = {}

    @property
    def starts(self) -> str:
        """What each model starts from, in words."""
        return ", ".join(f"{name} ({start or 'its own'})" for name, start in self.models.items())
