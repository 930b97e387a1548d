"""The plan of the run `paper`: it trains every distinct beginning of a recipe once, and nothing else."""

from pathlib import Path

import yaml

from tests.integration.workflow import REPOSITORY, Clone
from xstilts import registry, settings
from xstilts.settings import Settings

PAPER = "config/paper.yaml"
OBTAINED = {
    "ccg": [f"data/AUTO/{section}/wsj_{section}01.auto" for section in ("00", "02")],
    "bucc2018": [
        f"bucc2018/{code}-en.{split}.{part}"
        for code in ("de", "fr", "ru", "zh")
        for split in ("dev", "test")
        for part in (code, "en", "gold")
    ],
}
"""Files of the data sets that are not on the hub and that can lie in a folder."""
NINE_TASKS = {"anli_plus", "mnli", "qqp", "squad2", "squad1", "hellaswag", "ccg", "cosmosqa", "csqa"}
NINE_TARGETS = {"xnli", "pawsx", "udpos", "panx", "xquad", "mlqa", "tydiqa", "bucc2018", "tatoeba"}


def asked_for(run: Settings) -> set[tuple[str, str]]:
    """Intermediate recipe and target task of every score, without what the run goes without."""
    found = {
        (recipe, task) for block in run.run.evaluations for recipe in block.recipes for task in block.tasks
    }
    for name in run.run.studies:
        study = getattr(run.studies, name)
        for task in study.tasks:
            own = registry.evaluation_tasks()[task].target if name == "similarity" else None
            found |= {(recipe, task) for recipe in study.planned if recipe != own}
    without = set(run.run.without)
    unscored = {name.partition("/")[0] for name in without if "/" in name}  # in all of its languages, here
    return {
        (recipe, task) for recipe, task in found if task not in unscored and not tasks_of(recipe) & without
    }


def tasks_of(recipe: str) -> set[str]:
    return {part.partition("@")[0] for part in recipe.replace("-", "+").split("+")}


def beginnings(recipe: str, target: str | None) -> set[str]:
    """What has to be trained for a score: `a-b` and the target `c` need `a`, `a-b` and `a-b-c`."""
    stages = ["+".join(sorted(stage.split("+"))) for stage in recipe.split("-") if stage != "mlm"]
    stages += [target] if target else []
    return {"-".join(stages[:length]) for length in range(1, len(stages) + 1)}


def test_there_is_a_training_for_every_distinct_prefix_and_seed(tmp_path: Path) -> None:
    everything = obtained(tmp_path / "obtained")
    clone = Clone.make(tmp_path / "clone")
    (clone.folder / "everything.yaml").write_text(yaml.safe_dump(everything), encoding="utf-8")
    for config in (PAPER, f"{PAPER} everything.yaml"):
        run = settings.read(REPOSITORY / "config.yaml", *(clone.folder / name for name in config.split()))
        trained = {
            (model, prefix, seed)
            for recipe, task in asked_for(run)
            for prefix in beginnings(recipe, registry.evaluation_tasks()[task].target)
            for model in run.run.models
            for seed in run.run.seeds
        }
        planned = clone.scheduled(config=config)
        assert planned.counts["train_stage"] + planned.counts["continue_pretraining"] == len(trained)
        expected = {f"train {model} on {recipe}, seed {seed}" for model, recipe, seed in trained}
        assert {message for message in planned.messages if message.startswith("train ")} == expected


def test_the_paper_has_nine_tasks_the_mixture_nine_targets_and_five_seeds() -> None:
    run = settings.read(REPOSITORY / "config.yaml", REPOSITORY / PAPER)
    (block,) = run.run.evaluations
    assert NINE_TASKS | {"+".join(sorted(NINE_TASKS))} <= set(block.recipes)
    assert set(block.tasks) == NINE_TARGETS
    assert run.run.seeds == [1, 2, 3, 4, 5]
    # Of these the shipped plan leaves out what its user has to obtain first, and says so.
    assert {name.partition("/")[0] for name in run.run.without} - {"squad1_mt", "cmlm"} == set(OBTAINED)


def obtained(folder: Path) -> dict[str, object]:
    """An overlay of `paper` for somebody who has obtained what the hub lacks, but for text and translations.

    The files are empty: a plan needs them to be there, and reads none.
    """
    for name, files in OBTAINED.items():
        for file in files:
            (folder / name / file).parent.mkdir(parents=True, exist_ok=True)
            (folder / name / file).touch()
    folders = {name: str(folder / name) for name in OBTAINED}
    return {"run": {"without": ["squad1_mt", "cmlm"]}, "data": {"folders": folders}}
