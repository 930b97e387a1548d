"""The floor rule: are scores above chance, and above an untrained encoder and n-gram TF-IDF?"""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace

import pandas as pd

from xstilts import registry
from xstilts.statistics.chance import chance_tail
from xstilts.statistics.errors import NotEstimableError
from xstilts.studies.rows import Row, filled
from xstilts.studies.scores import ENGLISH, Scores

CHANCE = ("chance", "-")
TFIDF = ("tfidf", "-")
UNTRAINED = "untrained"


@dataclass(frozen=True)
class Floor:
    """How many of `languages` are not above a control."""

    below: tuple[str, ...]
    languages: int

    @property
    def share(self) -> float:
        """Share of the languages that are not above it."""
        return len(self.below) / self.languages


def against_chance(scores: Scores, model: str, recipe: str, task: str, alpha: float) -> Floor:
    """The languages whose score is not above chance, each tested once, exactly and one-sided at `alpha`.

    Uncorrected on purpose: at the floor one language in 1/alpha would still pass, far from two thirds.
    Where no guessing rate was scored, that of an accuracy in retrieval is 1 / queries, since each query
    has one answer among as many candidates.

    Raises:
        NotEstimableError: without scores, without number of queries, or without a guessing rate.
    """
    ours, queries = _means(scores, model, recipe, task)
    try:
        chance = _means(scores, *CHANCE, task)[0].reindex(ours.index)
    except NotEstimableError:
        if scores.settings.metrics[task] != "accuracy":
            raise
        chance = 1 / queries
    known = queries.notna() & chance.notna()
    if not known.any():
        raise NotEstimableError("the numbers of queries are not given")
    tail = chance_tail(ours[known], queries[known], chance[known])
    return Floor(tuple(tail.index[tail > alpha]), len(tail))


def of_all(
    scores: Scores,
    model: str,
    recipes: Sequence[str],
    tasks: Sequence[str],
    alpha: float,
    languages: Collection[str] | None = None,
) -> Floor:
    """The pairs of task and language in which none of several recipes is above chance, as `task/language`.

    A pair in which one recipe is above chance tells recipes apart. Each is tested at alpha over their
    number, so that a pair at the floor passes with probability alpha at most. A recipe that a task lacks is
    none of them.

    Args:
        scores: The scores.
        model: The model.
        recipes: What is compared.
        tasks: Retrieval tasks.
        alpha: Level.
        languages: Which count; without, all but English.

    Raises:
        NotEstimableError: as `against_chance`, or without any such pair.
    """
    below: list[str] = []
    pairs = 0
    for task in tasks:
        present = [recipe for recipe in recipes if len(scores.of(model, recipe, task))] or list(recipes[:1])
        found = [against_chance(scores, model, recipe, task, alpha / len(present)) for recipe in present]
        shared = set.intersection(*(set(floor.below) for floor in found))
        codes = set(scores.of(model, present[0], task)["language"]) - {ENGLISH}
        counted = codes if languages is None else codes & set(languages)
        below += [f"{task}/{code}" for code in sorted(shared & counted)]
        pairs += len(counted)
    if not pairs:
        raise NotEstimableError("no language of a retrieval task is scored")
    return Floor(tuple(below), pairs)


def against_control(scores: Scores, model: str, recipe: str, task: str, control: tuple[str, str]) -> Floor:
    """The languages whose score is not greater than that of a control (model, recipe); a description.

    Raises:
        NotEstimableError: without scores of either.
    """
    ours = _means(scores, model, recipe, task)[0]
    theirs = _means(scores, *control, task)[0]
    both = sorted(set(ours.index) & set(theirs.index))
    if not both:
        raise NotEstimableError(f"no language is scored with {control[0]} too")
    return Floor(tuple(code for code in both if ours[code] <= theirs[code]), len(both))


def has_floor(task: str) -> bool:
    """Whether the rule is about a task: something is searched, so guessing has a score."""
    entry = registry.evaluation_tasks().get(task)
    return entry is not None and entry.is_retrieval


def floor_rows(study: str, scores: Scores, model: str, recipe: str, task: str) -> Iterator[Row]:
    """Shares of the languages that are not above chance, the untrained encoder and TF-IDF."""
    place, alpha = (scores, model, recipe, task), scores.settings.alpha
    controls: dict[str, tuple[str, Callable[[], Floor]]] = {
        "chance": (
            f"exact binomial test per language, one-sided at {alpha:g}",
            lambda: against_chance(*place, alpha),
        ),
        "untrained": (
            "count of scores not above those of the same encoder with random weights",
            lambda: against_control(*place, (model, UNTRAINED)),
        ),
        "tfidf": (
            "count of scores not above those of character n-gram TF-IDF",
            lambda: against_control(*place, TFIDF),
        ),
    }
    for control, (method, compare) in controls.items():

        def fill(row: Row, compare: Callable[[], Floor] = compare) -> Row:
            found = compare()
            return replace(row, estimate=found.share, n=found.languages, note=", ".join(found.below))

        row = Row(
            study=study,
            id=f"share_not_above/{control}/{model}/{recipe}/{task}",
            role="descriptive",
            statistic=f"share_not_above:{control}",
            method=method,
            unit="share of languages",
            model=model,
            recipe=recipe,
            task=task,
            subset="all languages but English",
        )
        yield filled(row, fill)


def _means(
    scores: Scores, model: str, recipe: str, task: str
) -> tuple["pd.Series[float]", "pd.Series[float]"]:
    """Scores and numbers of queries by language, averaged over seeds, without English."""
    cell = scores.of(model, recipe, task)
    cell = cell[cell["language"] != ENGLISH]
    if cell.empty:
        what = model if recipe == "-" else f"{model}, {recipe}"
        raise NotEstimableError(f"the scores hold no {task} of {what}")
    means = cell.groupby("language", sort=True)[["value", "n"]].mean()
    return means["value"], means["n"]
