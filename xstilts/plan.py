"""From a configuration to what has to be made: languages, checkpoints, predictions and scores.

Nothing here touches a file; the rules ask this module what there is to do, and what a job needs.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple, TypeVar

from xstilts import recipes, registry
from xstilts.errors import ConfigError, RecipeError
from xstilts.job_settings import (
    MiningPredictionJob,
    PartJob,
    Pool,
    PoolPredictionJob,
    PretrainingJob,
    RetrievalPredictionJob,
    StageJob,
    TaskPredictionJob,
)
from xstilts.recipes import MLM, UNTRAINED, Part, Recipe
from xstilts.registry import BENCHMARKS, PIVOT, EvaluationTask, TaskType, TrainingTask
from xstilts.registry.codes import resolve as resolve_languages
from xstilts.settings import Settings
from xstilts.studies.settings import JOBS as STUDIES
from xstilts.studies.settings import (
    QARetrievalSettings,
    ScaleSettings,
    SimilaritySettings,
    StudyJob,
    StudySettings,
    TypologySettings,
)
from xstilts.varied import ANY, parts, resolve

T = TypeVar("T")
Number = TypeVar("Number", int, float)

WINDOWED: tuple[TaskType, ...] = ("span", "tagging")
"""The types whose long inputs are read in overlapping windows."""


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


class Block(NamedTuple):
    """Every recipe is scored on every task with every model."""

    recipes: list[str]
    tasks: list[str]
    models: list[str]


class Plan:
    """What one run has to make.

    Raises:
        ConfigError, RecipeError, RegistryError: if the configuration names what is not there.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.run = settings.run
        self.scores_are_given = settings.scores.source == "file"
        self.models = [] if self.scores_are_given else self.run.models
        for model in self.models:
            if model not in settings.models:
                raise _unknown("model", model, settings.models, "run.models")
        for task in self.run.targets:
            if task not in registry.evaluation_tasks():
                raise _unknown("evaluation task", task, registry.evaluation_tasks(), "run.targets")
        chosen = self.run.pretraining_languages
        self.pretraining_languages = None if chosen is None else resolve_languages(chosen)
        codes = iter(resolve_languages([name for name in self.run.languages if name not in BENCHMARKS]))
        self._run_languages = [name if name in BENCHMARKS else next(codes) for name in self.run.languages]
        self._check_without()
        for key, value in [("threads", self.run.threads), *settings.pretraining, *settings.training]:
            if isinstance(value, dict):
                self._check_patterns(key, value)
        for block in self.run.evaluations:
            for model in block.models:
                if model not in self.run.models:
                    raise _unknown("model of the run", model, self.run.models, "run.evaluations")
        for name, study in self.studies.items():
            self._check_study(name, study)
        _ = self.cells

    def _check_without(self) -> None:
        """What is left out must exist, and nothing else may need it."""
        for name in self.run.without:
            task, _, language = name.partition("/")
            known = registry.evaluation_tasks() if language else registry.training_tasks()
            if task not in known:
                raise _unknown("task", name, known, "run.without")
            if language and language not in self._all_languages(task):
                raise _unknown(
                    f"language of {task} in this run", name, self._all_languages(task), "run.without"
                )
        targets = [target for block in self._blocks for task in block.tasks if (target := self.target(task))]
        needed = [*targets, *(recipe for study in self.studies.values() for recipe in study.needed)]
        for text in needed:
            if self._is_left_out(self.recipe(text)):
                raise ConfigError(
                    f"'{text}' is needed and cannot be left out",
                    where="run.without",
                    hint="name another stage in run.targets, or other recipes in the study",
                )

    def _is_left_out(self, recipe: Recipe) -> bool:
        return any(task in self.run.without for task in recipe.tasks)

    def chosen(self, texts: Iterable[str]) -> list[Recipe]:
        """The recipes of a list, but for those that name a task that the run goes without."""
        return [recipe for recipe in map(self.recipe, texts) if not self._is_left_out(recipe)]

    def _is_unscored(self, task: str) -> bool:
        """Whether the run goes without every language of an evaluation task that it would score."""
        return bool(self._all_languages(task)) and not self._languages(task)

    @property
    def left_out(self) -> list[str]:
        """The recipes and evaluation tasks that the run goes without, sorted."""
        found = {text for block in self._blocks for text in block.recipes}
        recipes = {text for text in found if self._is_left_out(self.recipe(text))}
        tasks = {task for block in self._blocks for task in block.tasks if self._is_unscored(task)}
        return sorted(recipes | tasks)

    @cached_property
    def studies(self) -> dict[str, StudySettings]:
        """The sections of the studies that the run selects, in the order of the catalogue."""
        catalogue = self.settings.studies
        return {name: getattr(catalogue, name) for name in STUDIES if name in self.run.studies}

    @property
    def compares_tasks(self) -> bool:
        """Whether the run itself measures how similar its tasks are."""
        return "similarity" in self.studies and not self.scores_are_given

    def _check_study(self, name: str, study: StudySettings) -> None:
        """A study can read neither tasks and metrics that do not exist nor models that the run lacks."""
        where = f"studies.{name}"
        for task in study.tasks:
            entry = self.task(task)
            metric = self.metric(study, task)
            if metric not in entry.metrics:
                raise _unknown(f"metric of {task}", metric, entry.metrics, f"{where}.metrics.{task}")
        for key, values in {
            "metrics": study.metrics,
            "retrieval_settings": study.retrieval_settings,
            "splits": study.splits,
        }.items():
            for task in values:
                if task not in study.tasks:
                    raise _unknown("task of the study", task, study.tasks, f"{where}.{key}")
        for model in study.models:
            if model not in self.run.models:
                raise _unknown("model of the run", model, self.run.models, f"{where}.models")
        if isinstance(study, TypologySettings | QARetrievalSettings):
            self._check_retrieval(study, where)

    def _check_retrieval(self, study: TypologySettings | QARetrievalSettings, where: str) -> None:
        """The studies of retrieval read no other kind of task."""
        primary = study.primary_task if isinstance(study, TypologySettings) else None
        for task in study.tasks:
            # the primary task of S1 is scored again with equal pools, which only aligned ones have
            if not self.task(task).is_retrieval or (task == primary and self.task(task).type != "retrieval"):
                entries = registry.evaluation_tasks()
                known = [
                    name
                    for name, entry in entries.items()
                    if (entry.type == "retrieval" if primary else entry.is_retrieval)
                ]
                raise _unknown("retrieval task", task, known, f"{where}.tasks")

    def metric(self, study: StudySettings, task: str) -> str:
        """The metric that a study analyses of a task: the study's choice, or the task's headline."""
        chosen = study.metric if isinstance(study, QARetrievalSettings) else self.task(task).metrics[0]
        return study.metrics.get(task, chosen)

    def study_models(self, name: str) -> list[str]:
        """The models of a study: its own; else the whole ladder for the study of scale, else the first."""
        every = self.run.models if name == "scale" else self.run.models[:1]
        return self.studies[name].models or every

    def study_job(self, name: str) -> StudyJob:
        """The settings of a study's jobs, with all choices made."""
        study = self.studies[name]
        choices: dict[str, Any] = {
            "models": self.study_models(name),
            "metrics": {task: self.metric(study, task) for task in study.tasks},
            "pretrained": [model for model in self.study_models(name) if self.is_pretrained(model)],
        }
        if isinstance(study, TypologySettings | ScaleSettings | SimilaritySettings):
            choices["recipes"] = list(dict.fromkeys(map(str, self.chosen(study.recipes))))
        if isinstance(study, SimilaritySettings):
            choices["encoder"] = {}  # it decides similarity.tsv; no path is a parameter
        if isinstance(study, TypologySettings):
            choices["primary_recipe"] = str(self.recipe(study.primary_recipe))
        if isinstance(study, QARetrievalSettings):
            entries = registry.training_tasks()
            choices["trained_languages"] = {name: entries[name].languages for name in study.multilingual}
            others = list(dict.fromkeys(map(str, self.chosen(study.others))))
            choices |= {"others": others, "non_qa": [arm for arm in others if self._is_english_task(arm)]}
        return STUDIES[name](**{**self.settings.statistics.model_dump(), **study.model_dump(), **choices})

    def _is_english_task(self, recipe: str) -> bool:
        """Whether a recipe is one English task that is no extractive question answering."""
        tasks = [self.training_task(task, recipe) for task in self.recipe(recipe).tasks]
        return (
            len(tasks) == 1 and tasks[0].languages == [PIVOT] and tasks[0].type not in ("span", "masked_lm")
        )

    def is_pretrained(self, model: str) -> bool:
        """Whether the run pre-trains a model itself."""
        entry = self.settings.models.get(model)
        return entry is not None and entry.source == "pretrain"

    def _check_patterns(self, key: str, patterns: Iterable[str]) -> None:
        """Refuse a pattern that names what is not there, so that no misprint is ignored."""
        for pattern in patterns:
            model, recipe, task = parts(pattern)
            where = f"{key}: {pattern}"
            if model not in (ANY, *self.settings.models):
                raise _unknown("model", model, self.settings.models, where)
            if recipe != ANY and str(self.recipe(recipe)) != recipe:
                hint = f"write {self.recipe(recipe)}"
                raise ConfigError(f"'{recipe}' is not how the recipe is named", where=where, hint=hint)
            if task not in (ANY, *registry.training_tasks()):
                raise _unknown("training task", task, registry.training_tasks(), where)

    def task(self, name: str) -> EvaluationTask:
        """The registry's entry of an evaluation task, with the run's cap on its examples.

        Candidates are never left out: a smaller pool would make retrieval easier.
        """
        entries = registry.evaluation_tasks()
        if name not in entries:
            raise _unknown("evaluation task", name, entries, "run.evaluations or studies")
        entry = entries[name]
        changes: dict[str, Any] = {} if entry.is_headless else {"cap": self.run.evaluation_examples}
        if self.run.split == "test" and entry.test:
            changes |= {"data": entry.test, "tune": entry.data if entry.type == "mining" else None}
        return entry.model_copy(update=changes)

    def training_task(self, name: str, recipe: str = "") -> TrainingTask:
        """The registry's entry of a training task, with what this run selects on.

        A development split that is scored otherwise is selected on where test splits are scored.
        """
        entries = registry.training_tasks()
        if name not in entries:
            raise RecipeError(
                f"the recipe '{recipe}' names the unknown task '{name}'",
                where=recipe,
                hint=f"training tasks are {', '.join(sorted(entries))}",
            )
        entry = entries[name]
        dev = entry.dev_if_test if self.run.split == "test" and entry.dev_if_test else entry.dev
        return entry.model_copy(update={"dev": dev, "dev_if_test": None})

    def recipe(self, text: str) -> Recipe:
        """A parsed recipe all of whose tasks exist."""
        parsed = recipes.parse(text)
        for stage in parsed.stages:
            for part in stage.parts:
                if self.training_task(part.task, text).is_text and part.examples:
                    raise RecipeError(
                        f"'{part}' in '{text}': continued masked LM has no cap on examples",
                        where=text,
                        hint=f"write '{part.task}'; how long it lasts is pretraining.steps",
                    )
        return parsed

    def is_continued(self, recipe: str) -> bool:
        """Whether the last stage of a recipe is continued masked LM alone."""
        return self.uses_text(recipe) and not self.supervised(recipe)

    def uses_text(self, recipe: str) -> bool:
        """Whether the last stage of a recipe is continued masked LM, alone or mixed with other tasks."""
        return any(
            self.training_task(part.task, recipe).is_text
            for stage in recipes.parse(recipe).stages[-1:]
            for part in stage.parts
        )

    def supervised(self, recipe: str) -> list[Part]:
        """The parts of a recipe's last stage that have examples."""
        return [
            part
            for stage in recipes.parse(recipe).stages[-1:]
            for part in stage.parts
            if not self.training_task(part.task, recipe).is_text
        ]

    def languages(self, task: str) -> list[str]:
        """The languages of the run that a task has, in the order of the configuration.

        Raises:
            ConfigError: if there are none.
        """
        chosen = self._languages(task)
        if not chosen:
            known = self.task(task).languages
            lists = [name for name in BENCHMARKS if known.of(name)]
            every = ", ".join(known.known) if known.others is not None else "every language but English"
            raise ConfigError(
                f"{task} has none of the run's languages",
                where="run.languages" + (" and run.without" if self.run.without else ""),
                hint=f"it has {every}" + (f"; or name a list of it: {', '.join(lists)}" if lists else ""),
            )
        return chosen

    def _languages(self, task: str) -> list[str]:
        return [code for code in self._all_languages(task) if f"{task}/{code}" not in self.run.without]

    def _all_languages(self, task: str) -> list[str]:
        """The same, with those that are left out."""
        known = self.task(task).languages
        return list(dict.fromkeys(code for name in self._run_languages for code in known.of(name)))

    @property
    def smaller_pools(self) -> list[str]:
        """Of each task that ranks one pool of all languages' candidates, what of it is missing, in words."""
        said = []
        for task in sorted({cell.task for cell in self.cells}):
            entry, found = self.task(task), self.languages(task)
            patterns = registry.datasets()[entry.data.dataset].splits[entry.data.of(found[0])]
            missing = sorted(set(entry.languages.known) - set(found))
            if entry.type == "dual_encoder" and missing and any("{" in pattern for pattern in patterns):
                everyone = len(entry.languages.known)
                said.append(
                    f"{task} ranks a pool of {len(found)} of its {everyone} languages (without "
                    f"{', '.join(missing)}): its scores are not comparable with those of the whole pool"
                )
        return said

    def target(self, task: str) -> str | None:
        """The stage that trains on the task's own English data, if it has any."""
        return self.run.targets.get(task, self.task(task).target)

    @cached_property
    def _blocks(self) -> list[Block]:
        """Recipes, and the tasks and models that each is scored on: of the configuration and its studies."""
        blocks = [
            Block(block.recipes, block.tasks, block.models or self.run.models)
            for block in self.run.evaluations
        ]
        return blocks + [block for name in self.studies for block in self._study_blocks(name)]

    def _study_blocks(self, name: str) -> list[Block]:
        """Those of one study."""
        study, models = self.studies[name], self.study_models(name)
        if not isinstance(study, SimilaritySettings):
            return [Block(study.planned, study.tasks, models)]
        return [  # a task is no intermediate task of itself
            Block([recipe for recipe in study.planned if recipe != self.target(task)], [task], models)
            for task in study.tasks
        ]

    @cached_property
    def cells(self) -> list[Cell]:
        """Every score that the run makes, sorted; none where the scores are given."""
        return self._cells_of(self._blocks)

    def study_cells(self, name: str) -> list[Cell]:
        """Those that one study reads."""
        return self._cells_of(self._study_blocks(name))

    def _cells_of(self, blocks: list[Block]) -> list[Cell]:
        found = {
            cell
            for block in ([] if self.scores_are_given else blocks)
            for model in block.models
            for recipe in self.chosen(block.recipes)
            for task in block.tasks
            if not self._is_unscored(task)
            for cell in self._cells(model, recipe, task)
        }
        return sorted(found)

    def _cells(self, model: str, intermediate: Recipe, task: str) -> list[Cell]:
        target = self.target(task)
        is_control_needed = target is None and self.task(task).is_headless
        controls = [Recipe(untrained=True)] if is_control_needed else []
        cells = []
        for recipe in [intermediate, *controls]:
            whole = recipe if target is None else recipe.then(self.recipe(target))
            self._check_unspent(whole, task)
            for seed in self.seeds(whole):
                stages = str(recipe) if recipe.stages else "-"
                cells.append(Cell(model, str(whole), seed, task, stages, target or "-"))
        if target is not None:
            self.head(cells[0].recipe, task)
        return cells

    def _check_unspent(self, recipe: Recipe, task: str) -> None:
        """What has been trained on an evaluation set is not scored on it."""
        dataset = self.task(task).data.dataset
        spent = [name for name in recipe.tasks if dataset in registry.training_tasks()[name].spends]
        if spent:
            raise ConfigError(
                f"'{recipe}' cannot be scored on {task}: {spent[0]} is trained on {dataset}",
                where="run.evaluations or studies",
                hint=f"score it on another task, or choose another recipe for {task}",
            )

    def seeds(self, recipe: Recipe) -> list[int]:
        """The seeds of a recipe: only 0 where nothing has been fine-tuned."""
        return self.run.seeds if recipe.stages else [0]

    @cached_property
    def checkpoints(self) -> list[tuple[str, str, int]]:
        """Model, recipe and seed of every checkpoint, prefixes included, sorted."""
        given = {(model, name, 0) for model in self.models for name in (UNTRAINED, MLM)}
        return sorted(given | set(self.trained(self.cells)))

    @staticmethod
    def trained(cells: Iterable[Cell]) -> list[tuple[str, str, int]]:
        """Those that some cells rest on and that some stage trains, sorted."""
        found = {
            (cell.model, str(prefix), cell.seed)
            for cell in cells
            for prefix in recipes.prefixes(recipes.parse(cell.recipe))
        }
        return sorted(found)

    @property
    def single_tasks(self) -> list[tuple[str, str, int]]:
        """The checkpoints of the first seed that were fine-tuned on one task only, straight from `mlm`."""
        first = self.run.seeds[0]
        return [found for found in self.checkpoints if found[1] in self.training_tasks and found[2] == first]

    @cached_property
    def training_tasks(self) -> list[str]:
        """Every task with examples that some stage trains on, sorted."""
        named = {task for _, recipe, _ in self.checkpoints for task in recipes.parse(recipe).tasks}
        entries = registry.training_tasks()
        return sorted(task for task in named if not entries[task].is_text)

    @property
    def controlled_tasks(self) -> list[str]:
        """The evaluation tasks of the run that controls stand beside, sorted."""
        return sorted({cell.task for cell in self.cells if self.task(cell.task).is_retrieval})

    @property
    def retrieval_tasks(self) -> list[str]:
        """The evaluation tasks of the run that rank aligned candidates without a head, sorted."""
        return [task for task in self.controlled_tasks if self.task(task).type == "retrieval"]

    @property
    def headless_tasks(self) -> list[str]:
        """The evaluation tasks of the run that compare embeddings, retrieval and mining, sorted."""
        return [task for task in self.controlled_tasks if self.task(task).is_headless]

    def stage_settings(self, model: str, recipe: str) -> StageJob:
        """All that decides the last stage of a recipe; its tasks share the smallest of their values."""
        training = self.settings.training
        supervised = self.supervised(recipe)

        def every(value: T | dict[str, T]) -> list[T]:
            return [resolve(value, model=model, recipe=recipe, task=part.task) for part in supervised]

        def smallest(value: Number | dict[str, Number]) -> Number:
            return min(every(value))

        return StageJob(
            learning_rate=smallest(training.learning_rate),
            warmup=smallest(training.warmup),
            weight_decay=smallest(training.weight_decay),
            clip=smallest(training.clip),
            selections=smallest(training.selections),
            mixture_cap=min((cap for cap in every(training.mixture_cap) if cap), default=None),
            mixture_temperature=smallest(training.mixture_temperature),
            gradient_checkpointing=any(every(training.gradient_checkpointing)),
            restarts=smallest(training.restarts),
            parts={part.task: self._part_settings(model, recipe, part) for part in supervised},
            masked_lm=self.pretraining_settings(model, recipe) if self.uses_text(recipe) else None,
        )

    def _part_settings(self, model: str, recipe: str, part: Part) -> PartJob:
        training = self.settings.training
        entry = self.training_task(part.task, recipe)

        def own(value: T | dict[str, T]) -> T:
            return resolve(value, model=model, recipe=recipe, task=part.task)

        embedding: Pool = own(training.embedding)
        return PartJob(
            entry=entry,
            examples=part.examples,
            epochs=own(training.epochs),
            batch_size=own(training.batch_size),
            batch_tokens=own(training.batch_tokens),
            max_length=own(training.max_length),
            stride=own(training.stride) if entry.type in WINDOWED else None,
            max_answer=self._max_answer(entry.type),
            embedding=embedding if entry.type == "dual_encoder" else None,
        )

    def _max_answer(self, task_type: TaskType) -> int | None:
        """Only span tasks have it, so that a changed value touches no other."""
        return self.settings.prediction.max_answer if task_type == "span" else None

    def prediction_settings(
        self, model: str, recipe: str, task: str
    ) -> TaskPredictionJob | PoolPredictionJob | RetrievalPredictionJob | MiningPredictionJob:
        """All that decides the predictions of a task, but for the weights and the data."""
        settings = self.settings
        batch_tokens = settings.prediction.batch_tokens
        entry = self.task(task)
        if entry.is_headless:
            return self._headless_settings(model, entry.type)
        head = self.head(recipe, task)
        max_length = resolve(settings.training.max_length, model=model, recipe=recipe, task=head)
        if entry.type == "dual_encoder":
            embedding: Pool = resolve(settings.training.embedding, model=model, recipe=recipe, task=head)
            return PoolPredictionJob(
                head=head, max_length=max_length, embedding=embedding, batch_tokens=batch_tokens
            )
        return TaskPredictionJob(
            head=head,
            max_length=max_length,
            stride=resolve(settings.training.stride, model=model, recipe=recipe, task=head)
            if entry.type in WINDOWED
            else None,
            max_answer=self._max_answer(entry.type),
            batch_tokens=batch_tokens,
        )

    def _headless_settings(
        self, model: str, task_type: TaskType
    ) -> RetrievalPredictionJob | MiningPredictionJob:
        how, layer = self.settings.retrieval, self.settings.models[model].retrieval_layer
        batch_tokens = self.settings.prediction.batch_tokens
        if task_type == "mining":
            return MiningPredictionJob(
                layer=layer,
                pool=how.pool,
                pairs=how.pairs,
                neighbours=how.neighbours,
                batch_tokens=batch_tokens,
            )
        return RetrievalPredictionJob(
            layer=layer,
            pool=how.pool,
            direction=how.direction,
            similarity=how.similarity,
            neighbours=how.neighbours if how.similarity == "margin" else None,
            batch_tokens=batch_tokens,
        )

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
            hint=f"the target stage of {task} needs a task of type {wanted.type} with the same labels"
            if wanted.target
            else f"{task} has no target stage: it is scored as the recipe leaves it",
        )

    def pretraining_settings(self, model: str, recipe: str = MLM) -> PretrainingJob:
        """All that decides the masked LM of a model, or continued masked LM in a recipe's last stage."""
        settings = self.settings.pretraining
        parts = [part.task for stage in recipes.parse(recipe).stages[-1:] for part in stage.parts]
        task = next((name for name in parts if self.training_task(name, recipe).is_text), ANY)
        varied = {
            "steps": resolve(settings.steps, model=model, recipe=recipe, task=task),
            "learning_rate": resolve(settings.learning_rate, model=model, recipe=recipe, task=task),
        }
        return PretrainingJob.model_validate({**settings.model_dump(), **varied})


def _unknown(kind: str, name: str, known: Any, where: str) -> ConfigError:
    return ConfigError(f"unknown {kind} '{name}'", where=where, hint=f"there are {', '.join(sorted(known))}")
