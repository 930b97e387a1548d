"""What a study concludes, and the rule by which it does."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from xstilts.errors import StudyError

Decision = Literal["supports", "contradicts", "inconclusive", "not estimable"]


@dataclass(frozen=True)
class Verdict:
    """What verdict.json holds; a number is missing where the test could not be made.

    Attributes:
        verdict: The decision of the study by itself; the primary tests of all studies are corrected later.
        rule: The rule that made it, in words.
        primary_id: Id of the primary row of tests.tsv.
        p: Of the test that decided, if one did; it is what is corrected over the studies.
        detectable_effect: The smallest effect that this run could have found, in the primary row's unit.
        reason: What was found, or why nothing could be.
    """

    verdict: Decision
    rule: str
    primary_id: str
    p: float | None
    detectable_effect: float | None
    reason: str

    @classmethod
    def read(cls, path: Path) -> "Verdict":
        """What `write` wrote.

        Raises:
            StudyError: if it is missing or something else.
        """
        try:
            return cls(**json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError) as error:
            raise StudyError(
                f"no readable verdict: {error}", where=str(path), hint="build it with snakemake studies"
            ) from error

    def write(self, path: Path) -> None:
        """Write verdict.json, all at once or not at all."""
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(path.name + ".partial")
        content = asdict(self)
        for key in ("p", "detectable_effect"):
            if content[key] is not None:
                content[key] = round(content[key], 6)
        partial.write_text(json.dumps(content, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
        partial.replace(path)
