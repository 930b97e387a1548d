"""Settings that vary: a plain value, or a map from patterns to values, the most specific first.

A pattern is `model/recipe/task`, each part a name or `*`; `*` alone stands for `*/*/*`. Of the patterns
that match, the one with the most names wins; among equals a named task beats a named recipe beats a
named model. Every map needs a `*` entry, so that nothing is left without a value.
"""

from typing import Annotated, TypeVar

from pydantic import AfterValidator

T = TypeVar("T")

ANY = "*"


def _parts(pattern: str) -> tuple[str, str, str]:
    if pattern == ANY:
        return (ANY, ANY, ANY)
    parts = pattern.split("/")
    if len(parts) != 3 or not all(parts):
        raise ValueError(f"the pattern '{pattern}' is not of the form model/recipe/task (or '*')")
    return (parts[0], parts[1], parts[2])


def check(value: T | dict[str, T]) -> T | dict[str, T]:
    """Refuse a map without a fallback, or with a malformed pattern."""
    if isinstance(value, dict):
        for pattern in value:
            _parts(pattern)
        if ANY not in value:
            raise ValueError("a map of patterns needs a '*' entry as its fallback")
    return value


def resolve(value: T | dict[str, T], *, model: str = ANY, recipe: str = ANY, task: str = ANY) -> T:
    """The value for one model, recipe and task.

    Args:
        value: A checked value or map of patterns.
        model: Name of the model.
        recipe: The whole recipe.
        task: The task, or the text of the stage.
    """
    if not isinstance(value, dict):
        return value
    wanted = (model, recipe, task)

    def specificity(pattern: str) -> tuple[int, bool, bool, bool]:
        in_model, in_recipe, in_task = (part != ANY for part in _parts(pattern))
        return (in_model + in_recipe + in_task, in_task, in_recipe, in_model)

    matching = [
        pattern
        for pattern in value
        if all(part in (ANY, name) for part, name in zip(_parts(pattern), wanted, strict=True))
    ]
    return value[max(matching, key=specificity)]


VariedFloat = Annotated[float | dict[str, float], AfterValidator(check)]
VariedInt = Annotated[int | dict[str, int], AfterValidator(check)]
