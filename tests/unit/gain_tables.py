"""Tables of scores for the studies of gains: model sizes that differ, orders of tasks that differ.

A run's luck is shared by all its languages, and orders with a common beginning share its luck.
"""

from collections.abc import Mapping, Sequence
from itertools import permutations

import numpy as np
import pandas as pd

TASKS = ("csqa", "mnli", "squad1")
LADDER = {"small": 3e8, "base": 5.8e8, "large": 1.2e9, "xl": 3.7e9, "xxl": 1.3e10}


def cell(
    codes: Sequence[str],
    values: Sequence[float],
    *,
    model: str = "tiny",
    parameters: float = 1000,
    recipe: str = "mlm",
    seed: int = 0,
    task: str = "tatoeba",
    queries: int = 500,
) -> pd.DataFrame:
    """The scores of one checkpoint in one retrieval task."""
    control = recipe == "-"
    fixed = {"run": "test", "model": model, "parameters": 0 if control else int(parameters), "recipe": recipe}
    fixed |= {"intermediate": "-" if recipe in {"mlm", "-", "untrained"} else recipe, "target": "-"}
    fixed |= {"seed": seed, "task": task, "split": "test", "metric": "accuracy", "n": queries}
    fixed |= {"setting": "-" if control else "1-mean-en2xx-cosine"}
    return pd.DataFrame({"language": list(codes), "value": np.clip(values, 0, 1)}).assign(**fixed)


def chance(codes: Sequence[str], task: str = "tatoeba") -> pd.DataFrame:
    """The control that every study of retrieval has."""
    return cell(codes, [1 / 500] * len(codes), model="chance", recipe="-", task=task)


def ladder_scores(
    languages: pd.DataFrame,
    change: float = 0.6,
    *,
    sizes: Mapping[str, float] = LADDER,
    seeds: int = 3,
    noise: float = 0.01,
    seed: int = 5,
) -> pd.DataFrame:
    """Gains with a slope on syntactic similarity of 0.2 at a billion parameters, `change` more at ten."""
    rng = np.random.default_rng(seed)
    codes, similarity = _similarity(languages)
    parts = [chance(codes)]
    for model, parameters in sizes.items():
        base = 0.4 + 0.1 * rng.random(len(codes))
        slope = 0.2 + change * np.log10(parameters / 1e9)
        parts.append(cell(codes, base, model=model, parameters=parameters))
        for run in range(seeds):
            gain = (
                0.1 + slope * (similarity - 0.5) + noise * rng.normal() + noise * rng.normal(size=len(codes))
            )
            parts.append(
                cell(codes, base + gain, model=model, parameters=parameters, recipe="mnli", seed=run)
            )
    return pd.concat(parts, ignore_index=True)


def _similarity(languages: pd.DataFrame) -> tuple[list[str], np.ndarray]:
    others = languages[languages["language"] != "en"]
    return others["language"].tolist(), 1 - others["distance_syntactic"].to_numpy(float)


def order_scores(
    languages: pd.DataFrame,
    effect: float = 0.05,
    *,
    ordered: Sequence[str] = TASKS,
    orders: Sequence[str] | None = None,
    seeds: int = 3,
    noise: float = 0.004,
    tasks: Sequence[str] = ("tatoeba",),
    seed: int = 6,
) -> pd.DataFrame:
    """Scores that rise by `effect` for every position that the last of `ordered` is trained later.

    They rise by half of it if the first of `ordered` comes before the second: were those two alike, three
    tasks and three seeds would have four relabellings that change nothing, and so no p below 4/36.
    Every stage has luck of its own, which all sequences with that beginning share.
    """
    rng = np.random.default_rng(seed)
    codes = [code for code in languages["language"] if code != "en"]
    level = {code: 0.5 + 0.1 * rng.normal() for code in codes}
    names = sorted(orders or ("-".join(order) for order in permutations(ordered)))
    base = np.array([level[code] for code in codes])
    parts = []
    for task in tasks:
        parts += [chance(codes, task), cell(codes, base - 0.2, task=task)]
        for run in range(seeds):
            luck: dict[tuple[str, ...], float] = {}
            for name in [*names, "+".join(sorted(ordered))]:
                stages = tuple(name.split("-"))
                for end in range(1, len(stages) + 1):
                    luck.setdefault(stages[:end], noise * rng.normal())
                shared = sum(luck[stages[:end]] for end in range(1, len(stages) + 1))
                change = _of_order(stages, ordered) if len(stages) > 1 else 0.0
                values = base + effect * change + shared + noise * rng.normal(size=len(codes))
                parts.append(cell(codes, values, recipe=name, seed=run, task=task))
    return pd.concat(parts, ignore_index=True)


def _of_order(stages: tuple[str, ...], ordered: Sequence[str]) -> float:
    first, second, last = ordered[0], ordered[1], ordered[-1]
    return stages.index(last) - 1 + (0.25 if stages.index(first) < stages.index(second) else -0.25)
