"""The project's own errors: each says what is wrong, where, and what to do."""


class XstiltsError(Exception):
    """Base of every error that a user can cause and mend.

    Args:
        what: What is wrong, in one sentence.
        where: The file, key, language or position at fault.
        hint: What to do about it.
    """

    def __init__(self, what: str, *, where: str = "", hint: str = "") -> None:
        self.what, self.where, self.hint = what, where, hint
        super().__init__(what)

    def __str__(self) -> str:
        lines = [f"{type(self).__name__}: {self.what}"]
        if self.where:
            lines.append(f"  Where: {self.where}")
        if self.hint:
            lines.append(f"  Hint: {self.hint}")
        return "\n".join(lines)


class ConfigError(XstiltsError):
    """A setting that is unknown, of the wrong type, or at odds with another."""


class NoGpuError(ConfigError):
    """A GPU is asked for where there is none, or more than there are."""

    def __init__(self, what: str = "a GPU is asked for, and PyTorch sees none") -> None:
        super().__init__(
            what,
            where="run.device, run.processes",
            hint="use `device: auto` or `cpu`, or install the CUDA build (make demo TORCH=cuda)",
        )


class RecipeError(XstiltsError):
    """A recipe that does not parse, or names a task that is not there."""


class RegistryError(XstiltsError):
    """A task, language, data set or model that the registries do not hold, or hold twice."""


class DataError(XstiltsError):
    """A data file that is missing, altered, truncated, empty or malformed."""


class CheckpointError(XstiltsError):
    """A model folder that cannot be read, or does not fill the encoder."""


class TrainingError(XstiltsError):
    """Training that cannot start or has gone wrong numerically."""


class PredictionError(XstiltsError):
    """Predictions that do not fit the examples they are for."""


class StudyError(XstiltsError):
    """Scores or language tables that a study cannot use."""
