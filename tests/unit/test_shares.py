"""Divisions and samples that depend on names alone."""

from hypothesis import given
from hypothesis import strategies as st
from test_settings import changed

from xstilts import settings
from xstilts.data.examples import Example, PairExample
from xstilts.data.shares import capped, fraction
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


@given(st.text())
def test_a_fraction_lies_in_the_half_open_interval(text: str) -> None:
    assert 0 <= fraction(text) < 1


def test_the_cap_of_a_run_leaves_the_pools_of_retrieval_alone() -> None:
    plan = Plan(settings.load(changed("run.evaluation_examples", 30)))
    assert (plan.task("xnli").cap, plan.task("udpos").cap) == (30, 30)
    assert (plan.task("tatoeba").cap, plan.task("bucc2018").cap) == (None, None)
