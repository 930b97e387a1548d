"""The recipe language: printing and parsing are inverse; every fault has its position."""

import itertools
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xstilts import recipes
from xstilts.errors import RecipeError
from xstilts.recipes import Part, Recipe, Stage, parse

tasks = st.from_regex(r"[a-z][a-z0-9_]{0,8}", fullmatch=True).filter(
    lambda name: name not in recipes.RESERVED
)
parts = st.builds(Part, tasks, st.none() | st.integers(1, 10**7))
stages = st.lists(parts, min_size=1, max_size=4, unique_by=lambda part: part.task).map(
    lambda members: Stage(tuple(sorted(members, key=lambda part: part.task)))
)
valid = st.lists(stages, min_size=1, max_size=4).map(lambda members: Recipe(tuple(members)))
everything = valid | st.sampled_from([Recipe(), Recipe(untrained=True)])


@given(everything)
def test_parse_inverts_print(recipe: Recipe) -> None:
    assert parse(str(recipe)) == recipe


@given(st.lists(st.lists(parts, min_size=1, max_size=4, unique_by=lambda p: p.task), min_size=1, max_size=3))
def test_parts_are_sorted(groups: list[list[Part]]) -> None:
    written = "-".join("+".join(map(str, group)) for group in groups)
    normal = str(parse(written))
    assert parse(normal) == parse(written)
    for stage in normal.split("-"):
        names = [part.partition("@")[0] for part in stage.split("+")]
        assert names == sorted(names)


@given(st.text(alphabet="ab0_@+- A", max_size=12))
def test_accepts_exactly_the_grammar(text: str) -> None:
    part = r"[a-z][a-z0-9_]*(@[1-9][0-9]*)?"
    matches = re.fullmatch(rf"{part}([-+]{part})*", text) is not None
    names = [[p.partition("@")[0] for p in stage.split("+")] for stage in text.split("-")]
    legal = matches and all(len(set(stage)) == len(stage) for stage in names)
    if legal:
        assert parse(str(parse(text))) == parse(text)
    else:
        with pytest.raises(RecipeError, match=r"position \d+"):
            parse(text)


@pytest.mark.parametrize(
    ("text", "position", "problem"),
    [
        ("", 1, "expected a task name"),
        ("-mnli", 1, "expected a task name"),
        ("mnli-", 6, "expected a task name"),
        ("mnli--squad1", 6, "expected a task name"),
        ("mnli+", 6, "expected a task name"),
        ("Mnli", 1, "expected a task name"),
        ("mnli squad1", 5, "expected '-'"),
        ("mnli@", 6, "expected a number"),
        ("mnli@0", 6, "expected a number"),
        ("mnli@08", 6, "expected a number"),
        ("mnli@x", 6, "expected a number"),
        ("mnli+squad1+mnli", 13, "stands twice"),
        ("mnli-mlm", 6, "stands alone"),
        ("untrained-mnli", 1, "stands alone"),
        ("mnli@5@6", 7, "expected '-'"),
    ],
)
def test_faults_have_their_position(text: str, position: int, problem: str) -> None:
    with pytest.raises(RecipeError) as caught:
        parse(text)
    assert f"position {position}:" in caught.value.what
    assert problem in caught.value.what
    assert caught.value.hint


@given(valid)
def test_prefixes_build_the_recipe_stage_by_stage(recipe: Recipe) -> None:
    chain = recipes.prefixes(recipe)
    assert chain[-1] == recipe
    assert chain[0].prefix == Recipe()
    for shorter, longer in itertools.pairwise(chain):
        assert longer.prefix == shorter


def test_nothing_comes_before_mlm() -> None:
    with pytest.raises(RecipeError, match="no stage"):
        _ = Recipe().prefix


def test_repeats_across_stages_are_legal() -> None:
    assert str(parse("mnli-squad2-mnli")) == "mnli-squad2-mnli"


def test_then_joins_stages() -> None:
    assert str(parse("mlm").then(parse("mnli"))) == "mnli"
    assert str(parse("squad1").then(parse("mnli"))) == "squad1-mnli"
    with pytest.raises(RecipeError, match="alone"):
        parse("untrained").then(parse("mnli"))
