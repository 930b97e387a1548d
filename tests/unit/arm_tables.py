"""Tables for the tests of studies that compare arms: noise shared by a run's languages and by a family's."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from tests.unit.study_tables import language_table

LAREQA = ["ar", "de", "el", "en", "es", "hi", "ru", "th", "tr", "vi", "zh"]
TRAINED = {"tydiqa_all": ["en", "ar", "bn", "fi", "id", "ko", "ru", "sw", "te"]}
CEILING = 10 / 11
ARMS = ("mlm", "squad1", "tydiqa_all", "csqa", "csqa+mnli", "squad1@600", "tydiqa_all@600")
SHARES = {"recall_at_1": 0.45, "recall_at_5": 0.8, "recall_at_10": 1.0, "success_at_10": 1.05, "mrr": 0.6}


def languages_of(task: str) -> list[str]:
    if task == "lareqa":
        return LAREQA
    return [code for code in language_table()["language"] if code != "en"]


def arm_rows(
    recipe: str,
    task: str,
    seed: int,
    values: Mapping[str, float],
    metric: str,
    target: str = "-",
    n: int = 500,
) -> pd.DataFrame:
    """Scores of one run, by language."""
    control = recipe == "-"
    bare = recipe in {"mlm", "-", "untrained"}
    fixed = {"run": "test", "model": "tiny", "parameters": 0 if control else 1000}
    fixed["recipe"] = recipe if target == "-" else target if recipe == "mlm" else f"{recipe}-{target}"
    fixed |= {"intermediate": "-" if bare else recipe, "target": target, "seed": seed, "task": task}
    fixed |= {"split": "test", "setting": "-" if control else "1-mean", "metric": metric, "n": n}
    return pd.DataFrame([fixed | {"language": code, "value": value} for code, value in values.items()])


def family_effects(rng: np.random.Generator, size: float) -> dict[str, float]:
    table = language_table()
    shared = {family: size * rng.normal() for family in sorted(set(table["family"]))}
    return {row.language: shared[row.family] + size * rng.normal() for row in table.itertuples()}


def planted_arms(
    effects: Mapping[str, float] | None = None,
    *,
    seeds: int = 3,
    tasks: Sequence[str] = ("tatoeba", "lareqa"),
    run_noise: float = 0.003,
    language_noise: float = 0.01,
    seed: int = 5,
    everything: bool = False,
    level: float = 0.5,
) -> pd.DataFrame:
    """Recall of every arm: `level`, its effect, and noise of its run and of its effect in each language.

    Args:
        effects: Gain of each arm over `mlm`; others gain 2 points.
        seeds: Training runs.
        tasks: Which of tatoeba and lareqa.
        run_noise: Standard deviation of a run, shared by its languages.
        language_noise: That of an arm's effect on a family, and on a language.
        seed: Of the noise.
        everything: Whether all metrics, ceilings and controls are there, or recall at 10 and chance alone.
        level: The masked LM's recall.
    """
    rng = np.random.default_rng(seed)
    base = family_effects(rng, 0.05)
    parts = []
    for recipe in ARMS:
        own = family_effects(rng, 0.0 if recipe == "mlm" else language_noise)
        effect = {"mlm": 0.0, **(effects or {})}.get(recipe, 0.02)
        for task in tasks:
            alone = recipe == "mlm" and task == "tatoeba"
            for k in [0] if alone else range(1, seeds + 1):
                luck = run_noise * rng.normal()
                values = {
                    code: float(
                        np.clip(
                            level + base[code] + effect + own[code] + luck + run_noise * rng.normal(),
                            0.001,
                            0.9,
                        )
                    )
                    for code in languages_of(task)
                }
                parts += _metrics(recipe, task, k, values, everything)
    for task in tasks:
        codes = languages_of(task)
        parts.append(
            arm_rows("-", task, 0, dict.fromkeys(codes, 0.01), "recall_at_10").assign(model="chance")
        )
        if everything:
            tfidf = arm_rows("-", task, 0, dict.fromkeys(codes, 0.2), "recall_at_10")
            parts.append(tfidf.assign(model="tfidf"))
    return pd.concat(parts, ignore_index=True)


def _metrics(
    recipe: str, task: str, seed: int, values: Mapping[str, float], everything: bool
) -> list[pd.DataFrame]:
    target = task if task == "lareqa" else "-"
    shares = SHARES if everything else {"recall_at_10": 1.0}
    parts = []
    for metric, share in shares.items():
        name = "accuracy" if (task, metric) == ("tatoeba", "recall_at_1") else metric
        scaled = {code: min(share * value, 1.0) for code, value in values.items()}
        parts.append(arm_rows(recipe, task, seed, scaled, name, target))
    if everything and task == "lareqa":
        ceiling = dict.fromkeys(values, CEILING)
        parts.append(arm_rows(recipe, task, seed, ceiling, "recall_at_10_ceiling", target))
    return parts


INTERMEDIATES = ("cosmosqa", "csqa", "hellaswag", "mnli", "qqp", "squad1")
TARGETS = ("tatoeba", "udpos")


def similarity_table(
    intermediates: Sequence[str] = INTERMEDIATES, targets: Sequence[str] = TARGETS, seed: int = 7
) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    rows = []
    for target in targets:
        level = 0.5 + 0.2 * rng.random()
        for intermediate in intermediates:
            value = level + 0.1 * rng.normal()
            rows.append(
                {
                    "intermediate": intermediate,
                    "target": target,
                    "similarity": value,
                    "best_match": 0.5 * value + 0.02 * rng.normal(),
                    "tfidf": 0.3 * value + 0.03 * rng.normal(),
                    "examples": 200,
                }
            )
    return pd.DataFrame(rows)


def planted_gains(
    similarity: pd.DataFrame,
    slope: float = 0.2,
    *,
    seeds: int = 3,
    noise: float = 0.004,
    slope_elsewhere: float = 0.0,
    low: float = 5.0,
    seed: int = 11,
) -> pd.DataFrame:
    """Scores whose gains rise with similarity by `slope` in low-resource languages, else by another."""
    rng = np.random.default_rng(seed)
    table = language_table().set_index("language")
    few = (table["cc100_gib"].isna() | (table["cc100_gib"] < low)).to_dict()
    own = family_effects(rng, 0.01)
    base = family_effects(rng, 0.05)
    parts = []
    for target in similarity["target"].unique():
        pairs = similarity[similarity["target"] == target].set_index("intermediate")["similarity"]
        trained = "-" if target == "tatoeba" else target
        metric = "accuracy" if target == "tatoeba" else "f1"
        codes = [code for code in table.index if code != "en"]
        level = {code: 0.4 + base[code] for code in codes}
        baselines = [0] if trained == "-" else range(1, seeds + 1)
        parts += [arm_rows("mlm", target, k, level, metric, trained) for k in baselines]
        for intermediate, value in pairs.items():
            for k in range(1, seeds + 1):
                luck = noise * rng.normal()
                values = {
                    code: level[code]
                    + (slope if few[code] else slope_elsewhere) * (value - pairs.mean())
                    + (own[code] + luck + noise * rng.normal())
                    for code in codes
                }
                parts.append(arm_rows(str(intermediate), target, k, values, metric, trained))
    return pd.concat(parts, ignore_index=True)
