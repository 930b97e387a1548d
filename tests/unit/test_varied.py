"""Varying settings: the most specific pattern wins, and a map without a fallback is refused."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from xstilts.varied import Varied, check, resolve

PATTERNS = ["/".join(parts) for parts in itertools.product(("*", "m"), ("*", "r"), ("*", "t"))]
RANKED = ["m/r/t", "*/r/t", "m/*/t", "m/r/*", "*/*/t", "*/r/*", "m/*/*"]  # from the docstring, the best first


class Section(BaseModel):
    key: Varied[int]


def test_a_plain_value_is_itself() -> None:
    assert resolve(3, model="m") == 3


@given(st.sets(st.sampled_from(RANKED)))
def test_the_most_specific_pattern_wins(given_patterns: set[str]) -> None:
    value = {"*": -1} | {pattern: RANKED.index(pattern) for pattern in sorted(given_patterns)}
    best = min((RANKED.index(pattern) for pattern in given_patterns), default=-1)
    assert resolve(value, model="m", recipe="r", task="t") == best


@pytest.mark.parametrize("pattern", PATTERNS[1:])
def test_a_pattern_of_other_names_does_not_match(pattern: str) -> None:
    assert resolve({"*": 0, pattern: 1}, model="m2", recipe="r-t", task="t2") == 0


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({}, "fallback"),
        ({"m/*/*": 1}, "fallback"),
        ({"*": 1, "a/b": 2}, "'a/b' is not of the form"),
        ({"*": 1, "a//b": 2}, "'a//b' is not of the form"),
        ({"*": 1, "*/*/*": 2}, "same pattern"),
    ],
)
def test_maps_at_fault_are_refused(value: dict[str, int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        check(value)
    with pytest.raises(ValidationError, match=message):
        Section(key=value)


def test_a_fault_in_a_map_is_told_of_the_map_only() -> None:
    with pytest.raises(ValidationError) as caught:
        Section.model_validate({"key": {"*": "x"}})
    assert len(caught.value.errors()) == 1
