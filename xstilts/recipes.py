"""The recipe language: a model's training history is its name.

    recipe = "untrained" | "mlm" | stage ("-" stage)*      "-" is "then"
    stage  = part ("+" part)*                              "+" is "together"
    part   = task ["@" examples]                           "@" caps the examples
    task   = [a-z][a-z0-9_]*
    examples = [1-9][0-9]*

`mlm` is the masked LM as it is and stands alone; `untrained` is the same architecture with random
weights, the control that stands beside every retrieval score. The parts of a stage are sorted, so
that one training job has one name, and no task stands twice within a stage.
"""

import re
from dataclasses import dataclass

from xstilts.errors import RecipeError

UNTRAINED = "untrained"
MLM = "mlm"
RESERVED = frozenset({UNTRAINED, MLM})

_TOKEN = re.compile(r"[a-z][a-z0-9_]*|[0-9]+|[-+@]")


@dataclass(frozen=True, order=True, slots=True)
class Part:
    """One task of a stage, with the number of its examples if that is capped."""

    task: str
    examples: int | None = None

    def __str__(self) -> str:
        return self.task if self.examples is None else f"{self.task}@{self.examples}"


@dataclass(frozen=True, slots=True)
class Stage:
    """Tasks that are trained together, in one job; sorted by task."""

    parts: tuple[Part, ...]

    def __str__(self) -> str:
        return "+".join(map(str, self.parts))


@dataclass(frozen=True, slots=True)
class Recipe:
    """The stages after the masked LM; `mlm` and `untrained` have none."""

    stages: tuple[Stage, ...] = ()
    untrained: bool = False

    def __str__(self) -> str:
        if self.untrained:
            return UNTRAINED
        return "-".join(map(str, self.stages)) or MLM

    @property
    def tasks(self) -> frozenset[str]:
        """Every task that the recipe names."""
        return frozenset(part.task for stage in self.stages for part in stage.parts)

    @property
    def prefix(self) -> "Recipe":
        """The recipe whose checkpoint the last stage starts from.

        Raises:
            RecipeError: if there is no stage.
        """
        if not self.stages:
            raise RecipeError(f"'{self}' has no stage, so nothing comes before it", where=str(self))
        return Recipe(self.stages[:-1])

    def then(self, stages: "Recipe") -> "Recipe":
        """This recipe followed by the stages of another."""
        if self.untrained or stages.untrained:
            raise RecipeError(f"'{UNTRAINED}' stands alone", where=f"{self} then {stages}")
        return Recipe(self.stages + stages.stages)


def parse(text: str) -> Recipe:
    """The recipe that `text` writes; parts may come in any order.

    Raises:
        RecipeError: with the position of the first fault.
    """
    if text in RESERVED:
        return Recipe(untrained=text == UNTRAINED)
    return _Parser(text).recipe()


class _Parser:
    """Recursive descent over the tokens of one recipe."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.position = 0

    def recipe(self) -> Recipe:
        stages = [self.stage()]
        while self.take("-"):
            stages.append(self.stage())
        if self.position < len(self.text):
            raise self.fault("expected '-', '+', '@' or the end")
        return Recipe(tuple(stages))

    def stage(self) -> Stage:
        parts = [self.part(())]
        while self.take("+"):
            parts.append(self.part(tuple(part.task for part in parts)))
        return Stage(tuple(sorted(parts, key=lambda part: part.task)))

    def part(self, taken: tuple[str, ...]) -> Part:
        start, task = self.position, self.token()
        if task is None or not task[0].isalpha():
            raise self.fault("expected a task name ([a-z][a-z0-9_]*)")
        if task in RESERVED:
            raise self.fault(f"'{task}' stands alone", start)
        if task in taken:
            raise self.fault(f"'{task}' stands twice in one stage", start)
        self.position += len(task)
        return Part(task, self.examples() if self.take("@") else None)

    def examples(self) -> int:
        number = self.token()
        if number is None or not number.isdigit() or number.startswith("0"):
            raise self.fault("expected a number of examples, 1 or more, without leading zeros")
        self.position += len(number)
        return int(number)

    def token(self) -> str | None:
        match = _TOKEN.match(self.text, self.position)
        return match.group() if match else None

    def take(self, symbol: str) -> bool:
        found = self.text.startswith(symbol, self.position)
        self.position += found
        return found

    def fault(self, problem: str, position: int | None = None) -> RecipeError:
        at = self.position if position is None else position
        found = f"'{self.text[at]}'" if at < len(self.text) else "the end"
        return RecipeError(
            f"the recipe {self.text!r} does not parse at position {at + 1}: {problem}, found {found}",
            where=f"{self.text}\n         {' ' * at}^",
            hint="a recipe is 'mlm', or stages such as 'squad1', 'squad1-mnli', 'mnli+squad1', 'squad1@8000'",
        )


def prefixes(recipe: Recipe) -> list[Recipe]:
    """Every recipe that has to be trained for this one, itself last: `squad1`, then `squad1-mnli`."""
    return [Recipe(recipe.stages[:length]) for length in range(1, len(recipe.stages) + 1)]
