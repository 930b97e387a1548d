"""From a configuration to what has to be made: languages, checkpoints, predictions and scores.

Nothing here touches a file; the rules ask this module what there is to do, and what a job needs.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from xstilts import recipes, registry
from xstilts.errors import ConfigError, RecipeError
from xstilts.recipes import MLM, UNTRAINED, Recipe
from xstilts.registry import EvaluationTask, TrainingTask
from xstilts.registry.codes import resolve as resolve_languages
from xstilts.settings import Settings
from xstilts.varied import resolve

PIVOT = "en"


@dataclass(frozen=True, order=True, slots=True)
class Cell:
    """One task scored with one checkpoint; `recipe` is the whole history, target stage included."""

    model: str
    recipe: str
    seed: int
    task: str
    intermediate: str
    target: str

    @property
    def checkpoint(self) -> str:
        """Its checkpoint, below checkpoints/."""
        return f"{self.model}/{self.recipe}/seed{self.seed}"


class Plan:
    """What one run has to make.

    Raises:
        ConfigError, RecipeError, RegistryError: if the configuration names what is not there.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.run = settings.run
        for model in self.run.models:
            if model not in settings.models:
                raise _unknown("model", model, settings.models, "run.models")
        for task in self.run.targets:
            self.task(task)
        for task, languages in self.run.languages.items():
            if task != "*":
                self.task(task)
            resolve_languages(languages)
        resolve_languages(self.run.pretraining_languages or [])
        _ = self.cells

    def task(self, name: str) -> EvaluationTask:
        """The registry's entry of an evaluation task."""
        entries = registry.evaluation_tasks()
        if name not in entries:
            raise _unknown("evaluation task", name, entries, "run.evaluations, run.languages or studies")
        return entries[name]

    def training_task(self, name: str, recipe: str) -> TrainingTask:
        """The registry's entry of a training task."""
        entries = registry.training_tasks()
        if name not in entries:
            raise RecipeError(
                f"the recipe '{recipe}' names the unknown task '{name}'",
                where=recipe,
                hint=f"training tasks are {', '.join(sorted(entries))}",
            )
        return entries[name]

    def recipe(self, text: str) -> Recipe:
        """A parsed recipe all of whose tasks exist."""
        parsed = recipes.parse(text)
        for task in sorted(parsed.tasks):
            self.training_task(task, text)
        return parsed

    def languages(self, task: str) -> list[str]:
        """The languages of evaluation of a task, in the order of the configuration."""
        chosen = self.run.languages
        return chosen.get(task, chosen["*"])

    def target(self, task: str) -> str | None:
        """The stage that trains on the task's own English data, if it has any."""
        return self.run.targets.get(task, self.task(task).target)

    @cached_property
    def cells(self) -> list[Cell]:
        """Every score that the run makes, sorted."""
        blocks = [(block.recipes, block.tasks) for block in self.run.evaluations]
        for name in self.run.studies:
            study = getattr(self.settings.studies, name)
            blocks.append((study.recipes, study.tasks))
        found = {
            cell
            for recipe_texts, tasks in blocks
            for model in self.run.models
            for text in recipe_texts
            for task in tasks
            for cell in self._cells(model, self.recipe(text), task)
        }
        return sorted(found)

    def _cells(self, model: str, intermediate: Recipe, task: str) -> list[Cell]:
        target = self.target(task)
        controls = [Recipe(untrained=True)] if self.task(task).type == "retrieval" else []
        cells = []
        for recipe in [intermediate, *controls]:
            if target is not None and recipe.untrained:
                continue
            whole = recipe if target is None else recipe.then(self.recipe(target))
            for seed in self.seeds(whole):
                stages = str(recipe) if recipe.stages else "-"
                cells.append(Cell(model, str(whole), seed, task, stages, target or "-"))
        if target is not None:
            self.head(cells[0].recipe, task)
        return cells

    def seeds(self, recipe: Recipe) -> list[int]:
        """The seeds of a recipe: only 0 where nothing has been fine-tuned."""
        return self.run.seeds if recipe.stages else [0]

    @cached_property
    def checkpoints(self) -> list[tuple[str, str, int]]:
        """Model, recipe and seed of every checkpoint, prefixes included, sorted."""
        found = {(model, name, 0) for model in self.run.models for name in (UNTRAINED, MLM)}
        for cell in self.cells:
            for prefix in recipes.prefixes(recipes.parse(cell.recipe)):
                found.add((cell.model, str(prefix), cell.seed))
        return sorted(found)

    @property
    def single_tasks(self) -> list[tuple[str, str, int]]:
        """The checkpoints of the first seed that were fine-tuned on one task only, straight from `mlm`."""
        entries = registry.training_tasks()
        seeds = (0, self.run.seeds[0])
        return [found for found in self.checkpoints if found[1] in entries and found[2] in seeds]

    @cached_property
    def training_tasks(self) -> list[str]:
        """Every task that some stage trains on, sorted."""
        return sorted({task for _, recipe, _ in self.checkpoints for task in recipes.parse(recipe).tasks})

    @property
    def retrieval_tasks(self) -> list[str]:
        """The evaluation tasks of the run that are scored by retrieval, sorted."""
        return sorted({cell.task for cell in self.cells if self.task(cell.task).type == "retrieval"})

    def stage_settings(self, model: str, recipe: str) -> dict[str, Any]:
        """All that decides the last stage of a recipe: per task, and the smallest value where they share one."""
        parsed = self.recipe(recipe)
        training = self.settings.training

        def value(key: str, task: str) -> Any:
            return resolve(getattr(training, key), model=model, recipe=recipe, task=task)

        parts = parsed.stages[-1].parts
        shared = ("learning_rate", "warmup", "weight_decay", "clip", "selections")
        own = ("epochs", "batch_size", "max_length", "stride")
        return {
            **{key: min(value(key, part.task) for part in parts) for key in shared},
            "parts": {
                part.task: {
                    "entry": self.training_task(part.task, recipe).model_dump(),
                    "examples": part.examples,
                    **{key: value(key, part.task) for key in own},
                }
                for part in parts
            },
        }

    def prediction_settings(self, model: str, recipe: str, task: str) -> dict[str, Any]:
        """All that decides the predictions of a task, but for the weights and the data."""
        batch_tokens = self.settings.prediction.batch_tokens
        if self.task(task).type == "retrieval":
            layer = self.settings.models[model].retrieval_layer
            return {"layer": layer, "batch_tokens": batch_tokens, **self.settings.retrieval.model_dump()}
        head = self.head(recipe, task)
        lengths = {
            key: resolve(getattr(self.settings.training, key), model=model, recipe=recipe, task=head)
            for key in ("max_length", "stride")
        }
        max_answer = self.settings.prediction.max_answer
        return {"head": head, "batch_tokens": batch_tokens, "max_answer": max_answer, **lengths}

    def head(self, recipe: str, task: str) -> str:
        """The task of the last stage whose head answers an evaluation task: the first of its type and labels.

        Raises:
            ConfigError: if there is none.
        """
        wanted = self.task(task)
        stages = recipes.parse(recipe).stages
        for part in stages[-1].parts if stages else ():
            entry = self.training_task(part.task, recipe)
            if (entry.type, entry.labels) == (wanted.type, wanted.labels):
                return part.task
        raise ConfigError(
            f"no head of '{recipe}' can answer '{task}'",
            where="run.targets",
            hint=f"the target stage of {task} needs a task of type {wanted.type} with the same labels",
        )

    def pretraining_settings(self, model: str) -> dict[str, Any]:
        """All that decides the masked LM of a model."""
        settings = self.settings.pretraining
        varied = {
            key: resolve(getattr(settings, key), model=model, recipe=MLM) for key in ("steps", "learning_rate")
        }
        return {**settings.model_dump(), **varied}


def _unknown(kind: str, name: str, known: Any, where: str) -> ConfigError:
    return ConfigError(f"unknown {kind} '{name}'", where=where, hint=f"there are {', '.join(sorted(known))}")
