"""What the rules hand to their jobs: input files, parameters and code hashes, for one run.

Snakemake reruns a job when one of these changes, so each holds only what its job needs. No path and no
time is ever among the parameters; files of a mirror are not inputs but parameters (their checksums).
"""

import json
import os
import sys
from functools import cached_property
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from xstilts import fingerprint, recipes, registry
from xstilts.data.lock import Lock, load_lock, lock_entry, sha256_of
from xstilts.data.sources import FolderSource
from xstilts.errors import ConfigError, DataError
from xstilts.micro.cldr import selected_languages
from xstilts.micro.generate import DATASETS as MICRO_DATASETS
from xstilts.micro.generate import files_of
from xstilts.plan import PIVOT, Cell, Plan
from xstilts.prediction.stamps import stamp_path
from xstilts.prediction.submission import prediction_path
from xstilts.recipes import MLM, UNTRAINED
from xstilts.registry import PredictionTask, Split
from xstilts.scoring import SCORERS
from xstilts.varied import resolve

TEXTS = ("text", "pairs")
FIGURES = {"typology": ("scatter", "forest")}


class Jobs:
    """One run's folders, and what each kind of job needs."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.settings = plan.settings
        self.run = plan.run
        self.folder = f"results/{self.run.name}"
        self.is_micro = self.settings.data.source == "micro"
        self.source_root = f"{self.folder}/source" if self.is_micro else str(self.settings.data.mirror)
        self.lock_path = None if self.is_micro else self.settings.data.lock

    @staticmethod
    def json(value: BaseModel | dict[str, Any] | None) -> str:
        """Settings as a command-line option: JSON with sorted keys."""
        plain = value.model_dump() if isinstance(value, BaseModel) else value
        return json.dumps(plain, sort_keys=True, ensure_ascii=False)

    @staticmethod
    def any_of(names: list[str]) -> str:
        """A wildcard constraint that allows these names and, if there are none, nothing."""
        return "|".join(names) if names else "(?!)"

    # Data

    def export_environment(self) -> None:
        """Put into the environment of all jobs what is no parameter, because it changes no result.

        Where the data are, this machine's interpreter, the whole configuration (for the graph of rules),
        and whether a person looks on.
        """
        os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        os.environ["XSTILTS_SOURCE"] = self.source_root
        os.environ["XSTILTS_LOCK"] = self.lock_path or "none"
        for name in self.imported_models:
            os.environ[f"XSTILTS_FOLDER_{name}"] = self.settings.models[name].folder or ""
        os.environ["XSTILTS_SETTINGS"] = self.json(self.settings)
        os.environ["XSTILTS_PROGRESS"] = "1" if sys.stderr.isatty() else ""

    def validate(self) -> None:
        """Ask for everything that may not be there, so that it is said before any job is planned.

        Raises:
            DataError: if the source lacks a data set, split or language that the run reads.
            ConfigError: if inputs may be longer than a model allows.
        """
        for task in self.tasks:
            data = self.plan.task(task).data
            self._insist(task, data.dataset, data.split, self.plan.languages(task))
            self.evaluation_locks(task)
        for task in self.plan.training_tasks:
            for dataset, split in self._training_splits(task):
                self._insist(task, dataset, split, [PIVOT])
            self.training_locks(task)
        self._check_lengths()
        _ = self.all_evaluation_locks, self.text_locks

    @cached_property
    def lock(self) -> Lock | None:
        """The checksums of the mirror; micro-XTREME has none, since the run makes it."""
        return None if self.lock_path is None else load_lock(Path(self.lock_path))

    def _insist(self, task: str, dataset: str, split: str, languages: list[str]) -> None:
        """Micro-XTREME has no lock, but it is known beforehand what will be in it."""
        if not self.is_micro:
            return
        micro = self.settings.data.micro
        held = files_of(dataset, micro).get(split, {}) if dataset in MICRO_DATASETS else {}
        lacking = [code for code in languages if code not in held]
        if lacking:
            there = f"it has {', '.join(held)}" if held else f"it holds {', '.join(MICRO_DATASETS)}"
            raise DataError(
                f"micro-XTREME has no {dataset}/{split} in {', '.join(lacking)}, which {task} needs",
                where="run.languages, data.micro.languages or the recipes",
                hint=there,
            )

    def _check_lengths(self) -> None:
        """Models that the run pre-trains have a known longest input."""
        for model, recipe, _ in self.plan.checkpoints:
            shape = self.settings.models[model].architecture
            if shape is None or recipe == UNTRAINED:
                continue
            if recipe == MLM or self.plan.is_continued(recipe):
                lengths = [self.plan.pretraining_settings(model, recipe).max_length]
            else:
                stage = self.plan.stage_settings(model, recipe)
                lengths = [part.max_length for part in stage.parts.values()]
            if max(lengths) > shape.positions:
                raise ConfigError(
                    f"inputs of {max(lengths)} pieces exceed the {shape.positions} positions of {model}",
                    where=f"max_length of training or pretraining, for {recipe}",
                    hint="lower max_length or raise positions",
                )

    def check_data(self) -> None:
        """Before the first job: is the mirror there, and is every file of it of the right size?

        Raises:
            DataError: naming the folder, or a few of the files at fault.
        """
        if not self.is_micro:
            locked = self.lock.datasets() if self.lock else []
            FolderSource(Path(self.source_root), self.lock).check(locked)

    @cached_property
    def micro_folders(self) -> dict[str, str]:
        """The folders of micro-XTREME, and the data set that each holds."""
        if not self.is_micro:
            return {}
        return {_first_folder(dataset): dataset for dataset in MICRO_DATASETS}

    def micro_code(self, folder: str) -> str:
        """Hash of the generator of one data set."""
        module = f"xstilts.micro.{self.micro_folders[folder]}"
        return fingerprint.code_hash("scripts/generate_micro.py", module)

    def _inputs(self, datasets: list[str]) -> list[str]:
        """Folders of micro-XTREME that a job reads; files of a mirror are not inputs."""
        held = set(self.micro_folders.values())
        return sorted({f"{self.source_root}/{_first_folder(name)}" for name in datasets if name in held})

    def _locks(self, dataset: str, split: str, languages: list[str] | None = None) -> dict[str, str]:
        return {} if self.lock is None else lock_entry(self.lock, [(dataset, split, languages)])

    @staticmethod
    def _formats(datasets: list[str]) -> list[str]:
        entries = registry.datasets()
        return sorted({f"xstilts.data.formats.{entries[name].format}" for name in datasets})

    @cached_property
    def _evaluation_datasets(self) -> list[str]:
        """Every data set of the source that holds out a split, selected by the run or not."""
        if self.is_micro:
            held = list(self.micro_folders.values())
        else:
            held = self.lock.datasets() if self.lock else list(registry.datasets())
        return sorted(name for name in held if registry.datasets()[name].evaluation)

    @property
    def all_evaluation_inputs(self) -> list[str]:
        """Folders of all evaluation sets."""
        return self._inputs(self._evaluation_datasets)

    @property
    def all_evaluation_locks(self) -> dict[str, str]:
        """Checksums of all evaluation sets."""
        found: dict[str, str] = {}
        for name in self._evaluation_datasets if self.lock else []:
            assert self.lock is not None
            for split in registry.datasets()[name].evaluation:
                if split in self.lock.splits(name):
                    found |= self._locks(name, split)
        return found

    @property
    def evaluation_keys_code(self) -> str:
        """Hash of the leakage keys and the parsers of all evaluation sets."""
        formats = self._formats(self._evaluation_datasets)
        return fingerprint.code_hash("scripts/collect_evaluation_keys.py", *formats)

    def _training_splits(self, task: str) -> list[tuple[str, str]]:
        entry = registry.training_tasks()[task]
        splits = [entry.train] + ([entry.dev] if isinstance(entry.dev, Split) else [])
        return [(split.dataset, split.split) for split in splits]

    def training_inputs(self, task: str) -> list[str]:
        """Folders of a training task."""
        return self._inputs([dataset for dataset, _ in self._training_splits(task)])

    def training_locks(self, task: str) -> dict[str, str]:
        """Checksums of a training task."""
        found: dict[str, str] = {}
        for dataset, split in self._training_splits(task):
            found |= self._locks(dataset, split, ["en"])
        return found

    def training_code(self, task: str) -> str:
        """Hash of the preparation and the parsers of a training task."""
        formats = self._formats([dataset for dataset, _ in self._training_splits(task)])
        return fingerprint.code_hash("scripts/prepare_training.py", *formats)

    @property
    def text_inputs(self) -> list[str]:
        """Folders of the pre-training text and pairs."""
        return self._inputs(list(TEXTS))

    @property
    def text_locks(self) -> dict[str, str]:
        """Checksums of the pre-training text."""
        found: dict[str, str] = {}
        for name in TEXTS:
            if self.lock is not None and name in self.lock.datasets():
                found |= self._locks(name, "train")
        return found

    @property
    def text_code(self) -> str:
        """Hash of the preparation and the parsers of text and pairs."""
        return fingerprint.code_hash("scripts/prepare_text.py", *self._formats(list(TEXTS)))

    @property
    def text_languages_option(self) -> str:
        """The languages of the pre-training text, if the run selects some."""
        chosen = self.plan.pretraining_languages
        return "" if chosen is None else f"--languages '{' '.join(chosen)}'"

    @property
    def text_cap_option(self) -> str:
        """The cap on the lines per language, if there is one."""
        cap = self.settings.data.text_lines
        return "" if cap is None else f"--max-lines {cap}"

    # Models and training

    @property
    def pretrained_models(self) -> list[str]:
        """Models that the run pre-trains itself."""
        return [name for name in self.run.models if self.settings.models[name].source == "pretrain"]

    @property
    def reads_corpus(self) -> bool:
        """Whether any model of the run is trained on the pre-training text."""
        continued = any(self.plan.is_continued(recipe) for _, recipe, _ in self.plan.checkpoints)
        return bool(self.pretrained_models) or continued

    @property
    def imported_models(self) -> list[str]:
        """Models of a folder or the hub."""
        return [name for name in self.run.models if self.settings.models[name].source != "pretrain"]

    def folder_hash(self, model: str) -> str:
        """Hash of the files of a model that lies in a folder, so that other weights are noticed."""
        folder = self.settings.models[model].folder
        if folder is None or not Path(folder).is_dir():
            return ""
        files = sorted(path for path in Path(folder).iterdir() if path.is_file())
        return fingerprint.text_hash("".join(f"{path.name} {sha256_of(path)}\n" for path in files))

    @property
    def trained_pattern(self) -> str:
        """A wildcard constraint: recipes whose last stage is trained on examples."""
        entries = registry.training_tasks()
        examples = [name for name, entry in entries.items() if entry.type != "masked_lm"]
        return recipes.pattern(entries, last=examples)

    @property
    def continued_pattern(self) -> str:
        """A wildcard constraint: recipes whose last stage is continued masked LM."""
        entries = registry.training_tasks()
        masked = [name for name, entry in entries.items() if entry.type == "masked_lm"]
        return recipes.pattern(entries, last=masked)

    @property
    def recipe_pattern(self) -> str:
        """A wildcard constraint: every recipe."""
        return "|".join([MLM, UNTRAINED, self.trained_pattern, self.continued_pattern])

    def checkpoint(self, model: str, recipe: str, seed: str | int) -> str:
        """The folder of a checkpoint; that of the masked LM is shared by all seeds."""
        parsed = recipes.parse(recipe)
        return f"{self.folder}/checkpoints/{model}/{recipe}/seed{seed if parsed.stages else 0}"

    @staticmethod
    def prefix(recipe: str) -> str:
        """The recipe without its last stage."""
        return str(recipes.parse(recipe).prefix)

    def training_files(self, recipe: str, split: str) -> list[str]:
        """Prepared examples of every task of the last stage."""
        parts = self.plan.recipe(recipe).stages[-1].parts
        return [f"{self.folder}/data/training/{part.task}/{split}.jsonl" for part in parts]

    def stage_code(self, recipe: str) -> str:
        """Hash of the training code and the dev metrics of the last stage."""
        parts = self.plan.recipe(recipe).stages[-1].parts
        scorers = {SCORERS[self.plan.training_task(part.task, recipe).type] for part in parts}
        return fingerprint.code_hash("scripts/train_stage.py", *sorted(scorers))

    def threads(self, model: str, recipe: str) -> int:
        """CPU threads of a model's jobs."""
        return resolve(self.run.threads, model=model, recipe=recipe)

    def stage_settings(self, model: str, recipe: str) -> str:
        """All that decides the last stage of a recipe."""
        return self.json(self.plan.stage_settings(model, recipe))

    def pretraining_settings(self, model: str, recipe: str = MLM) -> str:
        """All that decides the masked LM of a model, or a last stage of continued masked LM."""
        return self.json(self.plan.pretraining_settings(model, recipe))

    def retrieval_layer_option(self, model: str) -> str:
        """The hidden state that retrieval reads, if the configuration names one."""
        layer = self.settings.models[model].retrieval_layer
        return "" if layer is None else f"--layer {layer}"

    # Languages, predictions and scores

    @property
    def generator_facts(self) -> dict[str, list[str | float | None]]:
        """What the generator of micro-XTREME reads of the registry of languages."""
        chosen = selected_languages(self.settings.data.micro.languages)
        entries = {code: registry.languages()[code] for code in chosen}
        return {code: [entry.iso639_3, entry.cc100_gib] for code, entry in entries.items()}

    @property
    def languages_hash(self) -> str:
        """Hash of the registry of languages."""
        return fingerprint.text_hash(self.json({k: v.model_dump() for k, v in registry.languages().items()}))

    @property
    def fertility_code(self) -> str:
        """Hash of the measurement and the parser of its texts."""
        return fingerprint.code_hash("scripts/measure_fertility.py", *self._formats(["tatoeba"]))

    def prediction_settings(self, model: str, recipe: str, task: str) -> str:
        """All that decides the predictions of a task, but for weights and data."""
        return self.json(self.plan.prediction_settings(model, recipe, task))

    @property
    def tasks(self) -> list[str]:
        """The evaluation tasks of the run."""
        return sorted({cell.task for cell in self.plan.cells})

    def evaluation_inputs(self, task: str) -> list[str]:
        """Folders of an evaluation task."""
        return self._inputs([self.plan.task(task).data.dataset])

    def evaluation_locks(self, task: str) -> dict[str, str]:
        """Checksums of an evaluation task."""
        data = self.plan.task(task).data
        return self._locks(data.dataset, data.split, self.plan.languages(task))

    def _predictions(self, task: str, folder: str) -> list[Path]:
        entry = self.plan.task(task)
        languages = self.plan.languages(task)
        return [prediction_path(Path(folder), entry.type, entry.data.split, code) for code in languages]

    def prediction_files(self, task: str) -> list[str]:
        """Outputs of the prediction rule of a task, with the wildcards of a checkpoint."""
        folder = self.prediction_folder("{model}", "{recipe}", "{seed}", task)
        return [str(path) for path in self._predictions(task, folder)]

    def stamp_files(self, task: str) -> list[str]:
        """The stamps beside them."""
        return [str(stamp_path(Path(path))) for path in self.prediction_files(task)]

    def prediction_folder(self, model: str, recipe: str, seed: str | int, task: str) -> str:
        """Where the predictions of one checkpoint for one task lie."""
        return f"{self.folder}/predictions/{model}/{recipe}/seed{seed}/{task}"

    def predictions(self, model: str, recipe: str, seed: str | int, task: str) -> list[str]:
        """The predictions of one checkpoint."""
        folder = self.prediction_folder(model, recipe, seed, task)
        return [str(path) for path in self._predictions(task, folder)]

    def prediction_entry(self, task: str) -> str:
        """What a prediction job needs of the registry's entry of a task."""
        return self.json(self.plan.task(task).model_dump(include=set(PredictionTask.model_fields)))

    def scoring_entry(self, task: str) -> str:
        """What a scoring job needs of it; its languages and its target decide no score."""
        return self.json(self.plan.task(task).model_dump(exclude={"languages", "target"}))

    def prediction_script(self, task: str) -> str:
        """The program that predicts a task."""
        retrieval = self.plan.task(task).type == "retrieval"
        return f"scripts/{'predict_retrieval' if retrieval else 'predict_task'}.py"

    def prediction_code(self, task: str) -> str:
        """Hash of the prediction code and the parser of a task."""
        formats = self._formats([self.plan.task(task).data.dataset])
        return fingerprint.code_hash(self.prediction_script(task), *formats)

    def scoring_code(self, task: str) -> str:
        """Hash of the metrics and the parser of a task."""
        entry = self.plan.task(task)
        formats = self._formats([entry.data.dataset])
        return fingerprint.code_hash("scripts/score_predictions.py", SCORERS[entry.type], *formats)

    def controls_code(self, task: str) -> str:
        """Hash of the controls and the parser of a task."""
        entry = self.plan.task(task)
        formats = self._formats([entry.data.dataset])
        return fingerprint.code_hash("scripts/score_controls.py", SCORERS[entry.type], *formats)

    @cached_property
    def _cells(self) -> dict[tuple[str, str, int, str], Cell]:
        return {(cell.model, cell.recipe, cell.seed, cell.task): cell for cell in self.plan.cells}

    def score_key(self, model: str, recipe: str, seed: str | int, task: str) -> str:
        """What tells a cell's scores from all others."""
        cell = self._cells[model, recipe, int(seed), task]
        own = {key: getattr(cell, key) for key in ("model", "recipe", "intermediate", "target", "seed")}
        return self.json({"run": self.run.name, **own})

    def score_file(self, cell: Cell) -> str:
        """The table of one cell's scores."""
        return f"{self.folder}/scores/{cell.checkpoint}/{cell.task}.tsv"

    @property
    def single_task_examples(self) -> list[str]:
        """Prepared examples of the tasks that some checkpoint was fine-tuned on alone."""
        tasks = sorted({task for _, task, _ in self.plan.single_tasks})
        splits = ("train", "dev")
        return [file for task in tasks for split in splits for file in self.training_files(task, split)]

    @property
    def single_task_entries(self) -> str:
        """The registry's entries of those tasks."""
        entries = registry.training_tasks()
        return self.json({task: entries[task].model_dump() for _, task, _ in self.plan.single_tasks})

    @property
    def vacuity_code(self) -> str:
        """Hash of the comparison with constant baselines, which uses the metrics of all task types."""
        return fingerprint.code_hash("scripts/check_vacuity.py", *sorted(SCORERS.values()))

    @property
    def equal_pools_code(self) -> str:
        """Hash of the scores with equal pools and the parser of the primary task."""
        task = self.settings.studies.typology.primary_task
        return fingerprint.code_hash(
            "scripts/score_equal_pools.py", *self._formats([self.plan.task(task).data.dataset])
        )

    @property
    def score_files(self) -> list[str]:
        """Every table of scores of the run, controls included."""
        controls = [f"{self.folder}/scores/controls/{task}.tsv" for task in self.plan.retrieval_tasks]
        return [self.score_file(cell) for cell in self.plan.cells] + controls

    # Studies and report

    @property
    def corpus_sizes(self) -> list[str]:
        """The sizes of the run's own corpus, where it pre-trains its models on one."""
        return [f"{self.folder}/corpus.tsv"] if self.pretrained_models else []

    @property
    def corpus_option(self) -> str:
        """The same as an option."""
        return "".join(f"--corpus {path}" for path in self.corpus_sizes)

    @property
    def typology_settings(self) -> str:
        """The settings of the typology study; without models of its own, it takes the run's."""
        settings = self.settings.studies.typology
        normal = {
            "models": settings.models or self.run.models,
            "recipes": list(dict.fromkeys(str(self.plan.recipe(text)) for text in settings.recipes)),
            "primary_recipe": str(self.plan.recipe(settings.primary_recipe)),
        }
        return self.json(settings.model_copy(update=normal))

    @property
    def equal_pools(self) -> str:
        """The primary model's scores of the primary task with equal pools."""
        study = self.settings.studies.typology
        model = (study.models or self.run.models)[0]
        return f"{self.folder}/scores/equal_pools/{model}/{study.primary_task}.tsv"

    def figure_files(self, study: str) -> list[str]:
        """The figures of a study, in every format."""
        folder = f"{self.folder}/studies/{study}"
        return [f"{folder}/{figure}.{kind}" for figure in FIGURES[study] for kind in ("svg", "pdf", "png")]

    def study_files(self, study: str) -> list[str]:
        """Everything that a study makes."""
        folder = f"{self.folder}/studies/{study}"
        return [f"{folder}/tests.tsv", f"{folder}/verdict.json", *self.figure_files(study)]

    @property
    def miniature_note(self) -> str:
        """What every figure of a miniature says."""
        note = f"Run {self.run.name}: a miniature; it says nothing about large models."
        return note if self.run.miniature else ""


def _first_folder(dataset: str) -> str:
    """The folder of a data set below the source's root."""
    patterns = [pattern for paths in registry.datasets()[dataset].splits.values() for pattern in paths]
    return patterns[0].split("/")[0]
