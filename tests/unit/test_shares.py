"""Divisions and samples that depend on names alone."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_settings import changed

from xstilts import settings
from xstilts.data.examples import Example, PairExample
from xstilts.data.shares import capped, fraction
from xstilts.data.sources import FolderSource
from xstilts.plan import Plan

NAMES = st.lists(st.text(max_size=5), unique=True, max_size=40)


def examples(names: list[str]) -> list[Example]:
    return [PairExample(name, "en", "a", "b", None) for name in names]


@given(NAMES, st.integers(min_value=1, max_value=50))
def test_a_cap_takes_a_sample_in_order_that_grows_with_it(names: list[str], limit: int) -> None:
    given_ = examples(names)
    sample = capped(given_, limit)
    assert len(sample) == min(limit, len(given_))
    assert [example for example in given_ if example in sample] == sample
    assert {example.id for example in sample} <= {example.id for example in capped(given_, limit + 1)}
    backwards = capped(given_[::-1], limit)
    assert sorted(sample, key=lambda example: example.id) == sorted(backwards, key=lambda example: example.id)
    assert capped(given_, None) == given_


PARALLEL = [
    ("xnli", "dev"),
    ("pawsx", "dev"),
    ("xcopa", "test"),
    ("mlqa", "dev"),
    ("xquad", "test"),
    ("lareqa", ""),
]


@pytest.mark.parametrize(("name", "split"), PARALLEL)
def test_a_cap_draws_the_same_items_in_every_language(root: Path, name: str, split: str) -> None:
    """Of micro-XTREME's parallel data, line by line, whatever the ids are."""
    dataset, split = ("xquad_r", "test") if name == "lareqa" else (name, split)
    source = FolderSource(root, generated=True)
    drawn = set()
    for language in source.languages(dataset, split):
        whole = source.read(dataset, split, language)
        chosen = {example.id for example in capped(whole, 7)}
        drawn.add(tuple(index for index, example in enumerate(whole) if example.id in chosen))
    assert len(source.languages(dataset, split)) > 5
    assert len(drawn) == 1 and all(len(indices) == 7 for indices in drawn)


@given(st.text())
def test_a_fraction_lies_in_the_half_open_interval(text: str) -> None:
    assert 0 <= fraction(text) < 1


def test_the_cap_of_a_run_leaves_the_pools_of_retrieval_alone() -> None:
    plan = Plan(settings.load(changed("run.evaluation_examples", 30)))
    assert (plan.task("xnli").cap, plan.task("udpos").cap) == (30, 30)
    assert (plan.task("tatoeba").cap, plan.task("bucc2018").cap) == (None, None)
