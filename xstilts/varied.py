"""Settings that vary: a plain value, or a map from patterns to values, the most specific first.

A pattern is `model/recipe/task`, each part a name or `*`; `*` alone stands for `*/*/*`. Of the patterns
that match, the one with the most names wins; among equals a named task beats a named recipe beats a
named model. Every map needs a `*` entry, so that nothing is left without a value.
"""

from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, Discriminator, Tag

T = TypeVar("T")

ANY = "*"
VALUE, MAP = "a value", "a map"  # parts of the location of a fault that are no keys


def parts(pattern: str) -> tuple[str, str, str]:
    """Model, recipe and task of a pattern.

    Raises:
        ValueError: if it is malformed.
    """
    if pattern == ANY:
        return (ANY, ANY, ANY)
    found = pattern.split("/")
    if len(found) != 3 or not all(found):
        raise ValueError(f"the pattern '{pattern}' is not of the form model/recipe/task (or '*')")
    return (found[0], found[1], found[2])


def check(value: T | dict[str, T]) -> T | dict[str, T]:
    """Refuse a map without a fallback, or with a pattern that is malformed or given twice.

    Raises:
        ValueError: naming the pattern.
    """
    if isinstance(value, dict):
        if ANY not in value:
            raise ValueError("a map of patterns needs a '*' entry as its fallback")
        if len({parts(pattern) for pattern in value}) < len(value):
            raise ValueError("'*' and '*/*/*' are the same pattern")
    return value


def resolve(value: T | dict[str, T], *, model: str = ANY, recipe: str = ANY, task: str = ANY) -> T:
    """The value for one model, recipe and task.

    Args:
        value: A checked value or map of patterns.
        model: Name of the model.
        recipe: The whole recipe.
        task: The training task.
    """
    if not isinstance(value, dict):
        return value
    wanted = (model, recipe, task)

    def specificity(pattern: str) -> tuple[int, bool, bool, bool]:
        in_model, in_recipe, in_task = (part != ANY for part in parts(pattern))
        return (in_model + in_recipe + in_task, in_task, in_recipe, in_model)

    matching = [
        pattern
        for pattern in value
        if all(part in (ANY, name) for part, name in zip(parts(pattern), wanted, strict=True))
    ]
    return value[max(matching, key=specificity)]


def _branch(value: Any) -> str:
    return MAP if isinstance(value, dict) else VALUE


# The discriminator lets a fault speak of the branch that was meant, and not of both.
Varied = Annotated[
    Annotated[T, Tag(VALUE)] | Annotated[dict[str, T], Tag(MAP)],
    Discriminator(_branch),
    AfterValidator(check),
]
