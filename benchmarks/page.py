"""docs/benchmarks.md, from the tables of a run."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import jinja2
import pandas as pd

from benchmarks import encoding, search
from benchmarks.gpu import LENGTHS
from benchmarks.gpu import NAMES as LARGE
from benchmarks.rounds import OURS
from benchmarks.training import DYNAMIC, PADDED
from xstilts.tables import read_table

TEMPLATE = Path(__file__).with_name("page.md.j2")
TRAINED = ("nli", "squad")
EVERY = (*TRAINED, encoding.NAME, search.NAME)
FASTER = {DYNAMIC: 1.3, PADDED: 3.0}
MEMORY, SHARE = 1.2, 0.4
NOISE = 2.0  # standard errors within which two mean losses count as equal


@dataclass(frozen=True)
class Row:
    """One line of the verdicts; `met` is None where there is no bar."""

    what: str
    found: str
    bar: str
    met: bool | None


def write_page(tables: Path, page: Path) -> None:
    """Write the page.

    Args:
        tables: Folder of `measured.tsv` and `machine.tsv`.
        page: The file.

    Raises:
        DataError: if a table is missing.
    """
    measured, machine = (read_table(tables / f"{name}.tsv") for name in ("measured", "machine"))
    environment = jinja2.Environment(autoescape=False, trim_blocks=True, undefined=jinja2.StrictUndefined)  # noqa: S701 (Markdown)
    text = environment.from_string(TEMPLATE.read_text(encoding="utf-8")).render(
        machine=machine.to_dict("records"),
        sides=summary(measured).to_dict("records"),
        verdicts=list(verdicts(measured)),
        rounds=int(measured["round"].max()),
        missing=[name for name in EVERY if name not in set(measured["comparison"])],
        has_gpu=measured["share"].notna().any(),
    )
    page.write_text(text, encoding="utf-8")


def summary(measured: pd.DataFrame) -> pd.DataFrame:
    """Medians and ranges of every side of every comparison, in their order."""
    grouped = measured.groupby(["comparison", "side"], sort=False)
    return grouped.agg(
        items=("items", "first"),
        rounds=("round", "count"),
        seconds=("seconds", "median"),
        least=("seconds", "min"),
        most=("seconds", "max"),
        loss=("loss", "mean"),
        spread=("loss", "std"),
        mebibytes=("mebibytes", "max"),
        share=("share", "median"),
    ).reset_index()


def verdicts(measured: pd.DataFrame) -> Iterator[Row]:
    """What was asked for, and what was found."""
    there = set(measured["comparison"])
    for task in (task for task in TRAINED if task in there):
        for peer, bar in FASTER.items():
            yield _faster(measured, task, peer, bar)
        for peer in FASTER:
            yield _equal_loss(measured, task, peer)
    if encoding.NAME in there:
        yield _faster(measured, encoding.NAME, best_rival(measured, encoding.NAME), 1.0)
    if search.NAME in there:
        yield _faster(measured, search.NAME, search.FAISS, 1.0)
        yield _memory(measured)
    for name in (f"{model}, {length}" for model in LARGE for length in LENGTHS):
        if len(own := _of(measured, name, OURS)):
            share = float(own["share"].median())
            yield Row(f"{name}: share of the matrix rate", f"{share:.2f}", f"{SHARE:g}", share >= SHARE)
            yield _faster(measured, name, DYNAMIC, None)


def _memory(measured: pd.DataFrame) -> Row:
    own = _of(measured, search.NAME, OURS)
    ratio = float((own["mebibytes"] / own["needed"]).max())
    met = ratio <= MEMORY
    return Row("search: peak memory over inputs and outputs", f"{ratio:.2f}", f"at most {MEMORY:g}", met)


def best_rival(measured: pd.DataFrame, comparison: str) -> str:
    """The other side with the least median time."""
    others = measured[(measured["comparison"] == comparison) & (measured["side"] != OURS)]
    return str(others.groupby("side")["seconds"].median().idxmin())


def ratios(measured: pd.DataFrame, comparison: str, peer: str) -> "pd.Series[float]":
    """The peer's time over ours, round by round."""
    ours, theirs = (_of(measured, comparison, side)["seconds"] for side in (OURS, peer))
    return theirs / ours


def _of(measured: pd.DataFrame, comparison: str, side: str) -> pd.DataFrame:
    rows = measured[(measured["comparison"] == comparison) & (measured["side"] == side)]
    return rows.set_index("round")


def _faster(measured: pd.DataFrame, comparison: str, peer: str, bar: float | None) -> Row:
    found = ratios(measured, comparison, peer)
    middle = float(found.median())
    return Row(
        f"{comparison}: times as fast as {peer}",
        f"{middle:.2f} ({found.min():.2f} to {found.max():.2f})",
        "" if bar is None else f"{bar:g}",
        None if bar is None else middle >= bar,
    )


def _equal_loss(measured: pd.DataFrame, comparison: str, peer: str) -> Row:
    """Whether the mean losses differ by no more than seeds make them."""
    ours, theirs = (_of(measured, comparison, side)["loss"] for side in (OURS, peer))
    difference = float(ours.mean() - theirs.mean())
    noise = NOISE * float(((ours.var() + theirs.var()) / len(ours)) ** 0.5)
    return Row(
        f"{comparison}: dev loss less that of {peer}",
        f"{difference:+.4f}",
        f"within {noise:.4f}",
        abs(difference) <= noise,
    )
