"""Run files come back as they were written, trec_eval's readers read them, and faults in them are named."""

import io
import struct

import pytest
import pytrec_eval
from hypothesis import given, settings
from hypothesis import strategies as st

from xstilts.errors import PredictionError
from xstilts.prediction import trec

IDS = st.text(st.characters(exclude_categories=["Cs", "Z", "Cc"]), min_size=1, max_size=6).filter(
    lambda text: len(text.split()) == 1 and text == "".join(text.split())
)
SINGLES = st.floats(width=32, allow_nan=False, allow_infinity=False)


def runs() -> st.SearchStrategy[trec.Run]:
    rankings = st.dictionaries(IDS, SINGLES, min_size=1, max_size=6).map(
        lambda found: sorted(found.items(), key=lambda item: -item[1])
    )
    return st.dictionaries(IDS, rankings, max_size=5)


@given(runs())
@settings(max_examples=1000)
def test_runs_come_back(run: trec.Run) -> None:
    text = trec.write(run)
    back = trec.read(text)
    assert list(back) == list(run)
    for query, ranking in run.items():
        assert back[query] == ranking
        bits = [[struct.pack("<f", score) for _, score in each] for each in (ranking, back[query])]
        assert bits[0] == bits[1]  # -0.0 stays what it is
    assert trec.write(back) == text


@given(runs())
@settings(max_examples=200)
def test_trec_eval_reads_them(run: trec.Run) -> None:
    read = pytrec_eval.parse_run(io.StringIO(trec.write(run)))
    singles = {
        query: {name: struct.unpack("<f", struct.pack("<f", score))[0] for name, score in each.items()}
        for query, each in read.items()
    }
    assert singles == {query: dict(each) for query, each in run.items()}


def test_a_line_is_what_trec_says() -> None:
    text = trec.write({"q1": [("d9", 0.5), ("d2", 0.5)], "q0": [("d9", -1e-30)]})
    assert text == "q1 Q0 d9 1 0.5 xstilts\nq1 Q0 d2 2 0.5 xstilts\nq0 Q0 d9 1 -1e-30 xstilts\n"


@pytest.mark.parametrize("name", ["", "a b", "a\tb", "a\n", "\u2003", "a\x85b"])
def test_ids_that_no_line_can_hold(name: str) -> None:
    for run in ({name: [("d", 1.0)]}, {"q": [(name, 1.0)]}):
        with pytest.raises(PredictionError, match="cannot be an id"):
            trec.write(run)


@pytest.mark.parametrize("scores", [[1.0, 2.0], [float("nan")], [float("inf")], [1.0, float("-inf")]])
def test_scores_that_are_no_ranking(scores: list[float]) -> None:
    with pytest.raises(PredictionError, match="cannot follow"):
        trec.write({"q": [(f"d{i}", score) for i, score in enumerate(scores)]})


@pytest.mark.parametrize(
    ("lines", "message", "where"),
    [
        (["q Q0 d 1 0.5"], "5 fields instead of 6", "line 1"),
        (["q Q0 d 1 0.5 tag more"], "7 fields", "line 1"),
        (["q Q0 d one 0.5 tag"], "no number", "line 1"),
        (["q Q0 d 1 half tag"], "no number", "line 1"),
        (["q Q0 d 1 1e300 tag"], "no number", "line 1"),
        (["q Q0 d 1 nan tag"], "not finite", "line 1"),
        (["q Q0 d 2 0.5 tag"], "rank 2 of q comes after 0", "line 1"),
        (["q Q0 d 1 0.5 tag", "q Q0 e 1 0.4 tag"], "rank 1 of q comes after 1", "line 2"),
        (["q Q0 d 1 0.5 tag", "", "q Q0 e 2 0.6 tag"], "score of q rises", "line 3"),
        (["q Q0 d 1 0.5 tag", "q Q0 d 2 0.4 tag"], "d is ranked twice for q", "line 2"),
    ],
)
def test_faulty_runs(lines: list[str], message: str, where: str) -> None:
    with pytest.raises(PredictionError, match=message) as caught:
        trec.read("\n".join(lines))
    assert caught.value.where == where
