"""What a study concludes, and the rule by which it does."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

Decision = Literal["supports", "contradicts", "inconclusive", "not estimable"]


@dataclass(frozen=True)
class Verdict:
    """What verdict.json holds; a number is missing where the test could not be made.

    Attributes:
        verdict: The decision of the study by itself; the primary tests of all studies are corrected later.
        rule: The rule that made it, in words.
        primary_id: Id of the primary row of tests.tsv.
        detectable_effect: The smallest effect that this run could have found, in the primary row's unit.
        reason: What was found, or why nothing could be.
    """

    verdict: Decision
    rule: str
    primary_id: str
    detectable_effect: float | None
    reason: str

    def write(self, path: Path) -> None:
        """Write verdict.json, all at once or not at all."""
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(path.name + ".partial")
        content = asdict(self)
        if self.detectable_effect is not None:
            content["detectable_effect"] = round(self.detectable_effect, 6)
        partial.write_text(json.dumps(content, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
        partial.replace(path)
