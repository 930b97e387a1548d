"""What the rules hand to their jobs: input files, parameters and code hashes, for one run.

Snakemake reruns a job when one of these changes, so each holds only what its job needs. No path and no
time is ever among the parameters; files of a mirror are not inputs but parameters (their checksums).
"""

import json
import os
import re
import subprocess
import sys
from functools import cache, cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from pydantic import BaseModel

from xstilts import fingerprint, recipes, registry, warm
from xstilts.claims.facts import RunFacts
from xstilts.data.counts import published
from xstilts.data.lock import Lock, load_lock, lock_entry, sha256_of
from xstilts.data.sources import HUB, PARQUET, FolderSource
from xstilts.errors import ConfigError, DataError, NoGpuError
from xstilts.micro.cldr import selected_languages
from xstilts.micro.generate import DATASETS as MICRO_DATASETS
from xstilts.micro.generate import files_of
from xstilts.micro.sizes import size_of
from xstilts.model.families import check_masked_lm, family_of
from xstilts.plan import Cell, Plan
from xstilts.prediction.stamps import stamp_path
from xstilts.prediction.submission import prediction_path, written_files
from xstilts.recipes import MLM, UNTRAINED
from xstilts.registry import EvaluationTask, HeldOut, PredictionTask, Split
from xstilts.registry.hub import hub_dataset, hub_datasets
from xstilts.scoring import SCORERS
from xstilts.varied import resolve

TEXTS = ("text", "pairs")
OWN = "it is the folder of the publisher's files, at the paths of xstilts/registry/datasets.yaml"
PROGRAMS = {  # of all other types: predict_task
    "retrieval": "predict_retrieval",
    "mining": "predict_mining",
    "dual_encoder": "predict_pool",
}
DUAL_ENCODER = "xstilts.prediction.dual_encoder"  # which stages with such a task load by name


class Jobs:
    """One run's folders, and what each kind of job needs."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.settings = plan.settings
        self.run = plan.run
        self.folder = f"results/{self.run.name}"
        self.is_micro = self.settings.data.source == "micro"
        self.is_hub = self.settings.data.source == "hub"
        self.is_mirror = self.settings.data.source == "mirror"
        self.source_root = str(self.settings.data.mirror) if self.is_mirror else f"{self.folder}/source"
        self.lock_path = self.settings.data.lock if self.is_mirror else None
        self.folders = self.settings.data.folders

    @staticmethod
    def json(value: BaseModel | dict[str, Any] | None) -> str:
        """Settings as a command-line option: JSON with sorted keys."""
        plain = value.model_dump() if isinstance(value, BaseModel) else value
        return json.dumps(plain, sort_keys=True, ensure_ascii=False)

    @staticmethod
    def any_of(names: list[str]) -> str:
        """A wildcard constraint that allows these names and, if there are none, nothing."""
        return "|".join(map(re.escape, names)) if names else "(?!)"

    # Data

    def export_environment(self) -> None:
        """Put into the environment of all jobs what is no parameter, because it changes no result.

        Where the data are, this machine's interpreter, the whole configuration (for the graph of rules),
        how often state is kept, and whether a person looks on. Only the jobs that fetch may use the network.
        """
        os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        os.environ["XSTILTS_SOURCE"] = self.source_root
        made = "none" if self.is_micro else HUB
        os.environ["XSTILTS_LOCK"] = self.lock_path or "" if self.is_mirror else made
        os.environ["XSTILTS_FOLDERS"] = self.json(self.folders)
        for name, folder in self.folders.items():
            os.environ[f"XSTILTS_DATA_{name}"] = folder
        for name in self.imported_models:
            fetched = "".join(self.model_inputs(name))
            os.environ[f"XSTILTS_FOLDER_{name}"] = self.settings.models[name].folder or fetched
        encoder = self.settings.studies.similarity.encoder
        os.environ["XSTILTS_SENTENCE_ENCODER"] = encoder.folder or ""
        os.environ.setdefault("XSTILTS_OFFLINE", os.environ.get("HF_HUB_OFFLINE", "0"))
        os.environ["HF_HUB_OFFLINE"] = "1"
        os.environ.setdefault("HF_HUB_DISABLE_XET", "1")  # plain HTTP, whose failures are known
        os.environ["XSTILTS_STATE_SECONDS"] = str(60 * self.run.state_minutes)
        os.environ["XSTILTS_SCORES"] = self.settings.scores.file or ""
        os.environ["XSTILTS_SETTINGS"] = self.json(self.settings)
        os.environ["XSTILTS_PROGRESS"] = "1" if sys.stderr.isatty() else ""

    def offer_warm_start(self) -> None:
        """Let jobs on this machine share the time that importing their libraries takes."""
        self._warm_folder = TemporaryDirectory(prefix="xstilts-")  # removed when Snakemake ends
        os.environ[warm.FOLDER] = self._warm_folder.name
        os.environ[warm.OWNER] = str(os.getpid())

    def validate(self) -> None:
        """Ask for everything that may not be there, so that it is said before any job is planned.

        Raises:
            DataError: if the source lacks a data set, split or language that the run reads.
            ConfigError: if inputs may be longer than a model allows, a recipe wants more examples than there
                are or masked LM of a model that has none, or a data set cannot lie in a folder of its own.
        """
        self._check_folders()
        for task in self.tasks:
            for split, languages in self._read_by(task):
                self._insist(task, split, languages, trained=False)
        for task in self.plan.training_tasks:
            entry = self.plan.training_task(task)
            for split in entry.splits:
                self._insist(task, split, entry.languages, trained=True)
        if self.is_hub and self.reads_corpus:
            hub_dataset("text")
        self._check_lengths()
        self._check_masked_lm()
        self._check_caps()
        _ = self.all_evaluation_locks, self.text_locks

    def _check_folders(self) -> None:
        """Refuse a folder that nothing would read, and one that is not there."""
        tasks = [task for task in registry.training_tasks().values() if not task.is_text]
        known = {split.dataset for task in tasks for split in task.splits}
        known |= {name for name, entry in registry.datasets().items() if entry.evaluation}
        for name, folder in self.folders.items():
            where = f"data.folders.{name}"
            if name not in known:
                what = f"no data set '{name}' can lie in a folder of its own"
                raise ConfigError(what, where=where, hint=f"choose among {', '.join(sorted(known))}")
            if not Path(folder).is_dir():
                raise DataError(f"the folder of {name} is missing: {folder}", where=where, hint=OWN)

    @cached_property
    def lock(self) -> Lock | None:
        """The checksums of the mirror; micro-XTREME has none, since the run makes it."""
        return None if self.lock_path is None else load_lock(Path(self.lock_path))

    def _insist(self, task: str, split: Split, languages: list[str], trained: bool) -> None:
        """Refuse what the source is known to lack.

        It is known beforehand what will be in micro-XTREME and on the hub, and by the lock what is in a
        mirror. A mirror without a lock is looked into only for what has to be obtained first.
        """
        obtain, is_own = registry.datasets()[split.dataset].obtain, split.dataset in self.folders
        known = not self.is_mirror or self.lock
        if not (known or obtain or is_own):
            return
        held = self._held(split)
        if lacking := [code for code in languages if code not in held]:
            sources = {"micro": "micro-XTREME", "hub": "the source `hub`"}
            source = sources.get(self.settings.data.source, self.lock_path or self.source_root)
            there = f"it has {', '.join(held)}" if held else f"it holds {', '.join(self._datasets_held)}"
            if is_own:
                source, there = f"data.folders.{split.dataset}", OWN
            if not trained and self.run.split == "test":
                there += "; run.split: dev scores development splits"
            left_out = [task] if trained else [f"{task}/{code}" for code in lacking] if held else []
            leave_out = f"; or leave it out: run.without: [{', '.join(left_out)}]" if left_out else ""
            raise DataError(
                f"{source} has no {split.dataset}/{split.split} in {', '.join(lacking)}, which {task} needs",
                where="run.languages, the recipes, or data",
                hint=(obtain or there) + leave_out,
            )

    def _held(self, split: Split) -> list[str]:
        """The languages of a split that the source has."""
        name, part = split.dataset, split.split
        if name in self.folders:
            folder = self._own_folder(name)
            return folder.languages(name, part) if folder.root.is_dir() else []
        if name not in self._datasets_held and (self.lock or not self.is_mirror):
            return []
        if self.is_micro:
            return list(files_of(name, self.settings.data.micro).get(part, {}))
        if self.is_hub:
            return hub_dataset(name).languages_of(part)
        if self.lock is None:
            root = Path(self.source_root)
            return FolderSource(root).languages(name, part) if root.is_dir() else []
        return self.lock.languages(name, part) if part in self.lock.splits(name) else []

    @property
    def _datasets_held(self) -> list[str]:
        if self.is_mirror:
            return self.lock.datasets() if self.lock else []
        return list(MICRO_DATASETS) if self.is_micro else self.hub_names

    def _check_lengths(self) -> None:
        """Models that the run pre-trains have a known longest input."""
        for model, recipe, _ in self.plan.checkpoints:
            shape = self.settings.models[model].architecture
            if shape is None or recipe == UNTRAINED:
                continue
            lengths = []
            if recipe == MLM or self.plan.uses_text(recipe):
                lengths.append(self.plan.pretraining_settings(model, recipe).max_length)
            if self.plan.supervised(recipe):
                stage = self.plan.stage_settings(model, recipe)
                lengths += [part.max_length for part in stage.parts.values()]
            if max(lengths) > shape.positions:
                raise ConfigError(
                    f"inputs of {max(lengths)} pieces exceed the {shape.positions} positions of {model}",
                    where=f"max_length of training or pretraining, for {recipe}",
                    hint="lower max_length or raise positions",
                )

    def _check_masked_lm(self) -> None:
        """Continued masked LM is not for every family; that of a model in a folder is known beforehand."""
        for model, recipe, _ in self.plan.checkpoints:
            folder = self.settings.models[model].folder
            if folder and self.plan.uses_text(recipe):
                check_masked_lm(family_of(Path(folder)), f"the recipe {recipe} with the model {model}")

    def _check_caps(self) -> None:
        """A recipe may not ask for more examples than the source is known to have."""
        for _, recipe, _ in self.plan.checkpoints:
            for part in self.plan.supervised(recipe):
                entry = self.plan.training_task(part.task)
                counts = [self._count(split, code) for split in entry.train for code in entry.languages]
                known = [count for count in counts if count is not None]
                if part.examples and len(known) == len(counts) and part.examples > sum(known):
                    raise ConfigError(
                        f"'{part}' asks for more examples than {part.task} has ({sum(known)})",
                        where=f"the recipe {recipe}",
                        hint=f"write '{part.task}', or a smaller number",
                    )

    def _count(self, split: Split, language: str) -> int | None:
        """How many examples there are, where that is known beforehand (None: it is not)."""
        name, part = split.dataset, split.split
        if name in self.folders:
            return None
        if self.is_micro:
            return size_of(name, part, self.settings.data.micro)
        if self.lock:
            return self.lock.counts(name, part, language)["examples"]
        return published(name, part, language, self.is_hub)

    def check_data(self) -> None:
        """Before the first job: is the mirror there, and is every file of it of the right size?

        The same is asked of the folders of single data sets.

        Raises:
            DataError: naming the folder, or a few of the files at fault.
        """
        trained = [
            split for task in self.plan.training_tasks for split in self.plan.training_task(task).splits
        ]
        scored = [split for task in self.tasks for split, _ in self._read_by(task)]
        for split in [*trained, *scored]:
            if split.dataset in self.folders:
                try:
                    self._own_folder(split.dataset).check([f"{split.dataset}/{split.split}"])
                except DataError as error:
                    where = f"data.folders.{split.dataset}: {error.where}"
                    raise DataError(error.what, where=where, hint=OWN) from error
        if self.is_mirror:
            locked = self.lock.datasets() if self.lock else []
            read = self._datasets_read - set(self.folders)
            FolderSource(Path(self.source_root), self.lock).check(name for name in locked if name in read)

    @property
    def _datasets_read(self) -> set[str]:
        """The data sets that any job reads: of every evaluation task, since nothing of them is trained on."""
        trained = {name for task in self.plan.training_tasks for name in self._training_datasets(task)}
        text = {"text", "pairs"} if self.reads_corpus else set()
        return {*trained, *self._evaluation_datasets, *text}

    def check_device(self) -> None:
        """Before the first job, where jobs run on this machine: is there a GPU, if one is asked for?

        Asked beforehand because a job that fails has lost its old outputs by then.

        Raises:
            NoGpuError: if there is none.
        """
        if self.run.device == "cuda":
            looks = "import sys, torch; sys.exit(not torch.cuda.is_available())"
            if subprocess.run([sys.executable, "-c", looks], check=False).returncode:
                raise NoGpuError

    @cached_property
    def micro_folders(self) -> dict[str, list[str]]:
        """The folders of micro-XTREME, and the data sets that each holds."""
        found: dict[str, list[str]] = {}
        for dataset in MICRO_DATASETS if self.is_micro else ():
            found.setdefault(_first_folder(dataset), []).append(dataset)
        return found

    def micro_layout(self, folder: str) -> str:
        """Where the files of the data sets of one folder lie."""
        entries = registry.datasets()
        names = self.micro_folders[folder]
        return self.json({name: entries[name].model_dump(include={"splits", "codes"}) for name in names})

    def micro_code(self, folder: str) -> str:
        """Hash of the generators of the data sets of one folder."""
        modules = (f"xstilts.micro.{name}" for name in self.micro_folders[folder])
        return fingerprint.code_hash("scripts/generate_micro.py", *modules)

    def _inputs(self, dataset: str, split: str, languages: list[str] | None = None) -> list[str]:
        """Folders that a job reads of what the run has made or fetched; all other files are not inputs."""
        if dataset in self.folders:
            return []
        if self.is_hub and dataset in hub_datasets():
            entry = hub_datasets()[dataset]
            wanted = entry.languages_of(split) if languages is None else languages
            parts = sorted({entry.part(split, language) for language in wanted})
            return [f"{self.source_root}/{dataset}/{split}/{part}" for part in parts]
        held = self.is_micro and dataset in MICRO_DATASETS
        return [f"{self.source_root}/{_first_folder(dataset)}"] if held else []

    @property
    def hub_names(self) -> list[str]:
        """The data sets that the run may fetch."""
        return sorted(hub_datasets()) if self.is_hub else []

    def fetched_part(self, dataset: str, split: str, part: str) -> str:
        """What decides the files of one part of a data set of the hub."""
        return self.json(hub_dataset(dataset).of_part(dataset, split, part))

    @property
    def fetched(self) -> list[str]:
        """Everything that the run fetches: data, and models."""
        data = [folder for task in self.plan.training_tasks for folder in self.training_inputs(task)]
        data += self.all_evaluation_inputs
        models = [folder for name in self.imported_models for folder in self.model_inputs(name)]
        return sorted(set(data) if self.is_hub else ()) + models

    def _locks(self, dataset: str, split: str, languages: list[str] | None = None) -> dict[str, str]:
        """Checksums of a mirror's files, by its lock, or of those in a folder of their own, as they are."""
        if dataset in self.folders:
            source = self._own_folder(dataset)
            codes = source.languages(dataset, split) if languages is None else languages
            paths = [path for code in codes for path in source.paths(dataset, split, code)]
            present = sorted({path for path in paths if path.is_file()})
            return {
                path.relative_to(source.root).as_posix(): _checksum(path, _state(path)) for path in present
            }
        return {} if self.lock is None else lock_entry(self.lock, [(dataset, split, languages)])

    def formats(self, datasets: list[str]) -> list[str]:
        """The modules that parse data sets, which jobs load by name."""
        entries = registry.datasets()
        formats = {
            PARQUET if self.is_hub and name not in self.folders else entries[name].format for name in datasets
        }
        return sorted(f"xstilts.data.formats.{name}" for name in formats)

    @cached_property
    def _evaluation_datasets(self) -> list[str]:
        """Every data set of the source that holds out a split, selected by the run or not."""
        if self.is_micro:
            held = list(MICRO_DATASETS)
        elif self.is_hub:
            held = list(hub_datasets())
        else:
            held = self.lock.datasets() if self.lock else list(registry.datasets())
        return sorted(name for name in {*held, *self.folders} if registry.datasets()[name].evaluation)

    @property
    def all_evaluation_inputs(self) -> list[str]:
        """Folders of all evaluation sets."""
        found: list[str] = []
        for name in self._evaluation_datasets:
            for split in registry.datasets()[name].evaluation:
                found += self._inputs(name, split)
        return sorted(set(found))

    @property
    def all_evaluation_locks(self) -> dict[str, str]:
        """Checksums of all evaluation sets."""
        found: dict[str, str] = {}
        for name in self._evaluation_datasets:
            for split in registry.datasets()[name].evaluation:
                if name in self.folders or (self.lock and split in self.lock.splits(name)):
                    found |= self._locks(name, split)
        return found

    @property
    def evaluation_keys_code(self) -> str:
        """Hash of the leakage keys and the parsers of all evaluation sets."""
        formats = self.formats(self._evaluation_datasets)
        return fingerprint.code_hash("scripts/collect_evaluation_keys.py", *formats)

    def _training_datasets(self, task: str) -> list[str]:
        return [split.dataset for split in self.plan.training_task(task).splits]

    def training_entry(self, task: str) -> str:
        """What a training task is trained and selected on in this run."""
        return self.json(self.plan.training_task(task))

    def training_inputs(self, task: str) -> list[str]:
        """Folders of a training task."""
        entry = self.plan.training_task(task)
        found = [self._inputs(split.dataset, split.split, entry.languages) for split in entry.splits]
        return sorted({folder for folders in found for folder in folders})

    def training_locks(self, task: str) -> dict[str, str]:
        """Checksums of a training task."""
        entry, found = self.plan.training_task(task), dict[str, str]()
        for split in entry.splits:
            found |= self._locks(split.dataset, split.split, entry.languages)
        return found

    def _own_folder(self, dataset: str) -> FolderSource:
        return FolderSource(Path(self.folders[dataset]))

    def source_options(self, task: str) -> str:
        """Where the programs that read an evaluation task find its data; the paths are in the environment."""
        name = self.plan.task(task).data.dataset
        if name in self.folders:
            return f'--root "$XSTILTS_DATA_{name}" --lock ""'
        return '--root "$XSTILTS_SOURCE" --lock "$XSTILTS_LOCK"'

    def training_code(self, task: str) -> str:
        """Hash of the preparation and the parsers of a training task."""
        formats = self.formats(self._training_datasets(task))
        return fingerprint.code_hash("scripts/prepare_training.py", *formats)

    @property
    def text_inputs(self) -> list[str]:
        """Folders of the pre-training text and pairs."""
        return sorted({folder for name in TEXTS for folder in self._inputs(name, "train")})

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
        return fingerprint.code_hash("scripts/prepare_text.py", *self.formats(list(TEXTS)))

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
        return [name for name in self.plan.models if self.settings.models[name].source == "pretrain"]

    @property
    def reads_corpus(self) -> bool:
        """Whether any model of the run is trained on the pre-training text."""
        continued = any(self.plan.uses_text(recipe) for _, recipe, _ in self.plan.checkpoints)
        return bool(self.pretrained_models) or continued

    @property
    def imported_models(self) -> list[str]:
        """Models of a folder or the hub."""
        return [name for name in self.plan.models if self.settings.models[name].source != "pretrain"]

    def model_inputs(self, model: str) -> list[str]:
        """The folder of a model of the hub, once it is fetched."""
        return [f"{self.folder}/source/models/{model}"] if self.settings.models[model].source == "hub" else []

    @property
    def hub_models(self) -> list[str]:
        """Models of the hub."""
        return [name for name in self.imported_models if self.model_inputs(name)]

    def folder_hash(self, model: str) -> str:
        """Hash of the files of a model that lies in a folder, so that other weights are noticed."""
        folder = self.settings.models[model].folder
        if folder is None or not Path(folder).is_dir():
            return ""
        files = sorted(path for path in Path(folder).iterdir() if path.is_file())
        return fingerprint.text_hash("".join(f"{path.name} {sha256_of(path)}\n" for path in files))

    @property
    def recipes(self) -> list[str]:
        """Every recipe that the run trains or starts from, sorted."""
        return sorted({recipe for _, recipe, _ in self.plan.checkpoints} | {MLM, UNTRAINED})

    @property
    def trained_recipes(self) -> list[str]:
        """Those whose last stage is trained on examples, and maybe on text."""
        return [recipe for recipe in self.recipes if self.plan.supervised(recipe)]

    @property
    def continued_recipes(self) -> list[str]:
        """Those whose last stage is continued masked LM alone."""
        return [recipe for recipe in self.recipes if self.plan.is_continued(recipe)]

    def recipes_of(self, task: str) -> list[str]:
        """Those that are scored on a task, sorted."""
        return sorted({cell.recipe for cell in self.plan.cells if cell.task == task})

    def checkpoint(self, model: str, recipe: str, seed: str | int) -> str:
        """The folder of a checkpoint; that of the masked LM is shared by all seeds."""
        parsed = recipes.parse(recipe)
        return f"{self.folder}/checkpoints/{model}/{recipe}/seed{seed if parsed.stages else 0}"

    @property
    def checkpoint_folders(self) -> list[str]:
        """Every checkpoint of the run."""
        return [self.checkpoint(*checkpoint) for checkpoint in self.plan.checkpoints]

    def trained(self, cells: list[Cell]) -> list[str]:
        """The checkpoints that some cells rest on and that some stage trains."""
        return [self.checkpoint(*checkpoint) for checkpoint in self.plan.trained(cells)]

    def trained_on(self, cells: list[Cell]) -> list[str]:
        """The prepared examples of their tasks."""
        recipes = {recipe for _, recipe, _ in self.plan.trained(cells)}
        files = (self.training_files(recipe, split) for recipe in recipes for split in ("train", "dev"))
        return sorted({file for each in files for file in each})

    @property
    def lost_predictions(self) -> list[str]:
        """The prediction files that are missing though they have been scored.

        Snakemake makes the others because scores need them. These few have to be asked for by name; to ask
        for all of them would double what it has to plan.
        """
        scored = [cell for cell in self.plan.cells if Path(self.score_file(cell)).is_file()]
        files = (self.predictions(cell.model, cell.recipe, cell.seed, cell.task) for cell in scored)
        return [file for each in files for file in each if not Path(file).is_file()]

    @property
    def all_predictions(self) -> list[str]:
        """Every prediction file of the run."""
        return [
            file
            for cell in self.plan.cells
            for file in self.predictions(cell.model, cell.recipe, cell.seed, cell.task)
        ]

    @staticmethod
    def prefix(recipe: str) -> str:
        """The recipe without its last stage."""
        return str(recipes.parse(recipe).prefix)

    def training_files(self, recipe: str, split: str) -> list[str]:
        """Prepared examples of every task of the last stage that has any."""
        parts = self.plan.supervised(recipe)
        return [f"{self.folder}/data/training/{part.task}/{split}.jsonl" for part in parts]

    def mixed_text(self, recipe: str) -> list[str]:
        """The pre-training text, where continued masked LM is part of the last stage."""
        return [f"{self.folder}/data/corpus"] if self.plan.uses_text(recipe) else []

    def stage_code(self, recipe: str) -> str:
        """Hash of the training code and the dev metrics of the last stage."""
        types = {self.plan.training_task(part.task, recipe).type for part in self.plan.supervised(recipe)}
        modules = [SCORERS[kind] for kind in types] + [
            DUAL_ENCODER for kind in types if kind == "dual_encoder"
        ]
        return fingerprint.code_hash("scripts/train_stage.py", *sorted(modules))

    def threads(self, model: str, recipe: str) -> int:
        """CPU threads of a model's jobs."""
        return resolve(self.run.threads, model=model, recipe=recipe)

    def processes(self, model: str, recipe: str) -> int:
        """How many processes train a model."""
        return resolve(self.run.processes, model=model, recipe=recipe)

    def trainer(self, model: str, recipe: str) -> str:
        """What a training script is started with."""
        count = self.processes(model, recipe)
        several = f"launch --processes {count} --device {self.run.device}"
        return f"python -m xstilts.{several if count > 1 else 'warm'}"

    def sharding_option(self, model: str, recipe: str) -> str:
        """For training scripts: whether several processes keep parts of the model."""
        is_sharded = self.processes(model, recipe) > 1 and resolve(
            self.run.sharded, model=model, recipe=recipe
        )
        return "--sharded" if is_sharded else ""

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
        """What the generator of micro-XTREME, if the run has it, reads of the registry of languages."""
        if not self.is_micro:
            return {}
        chosen = selected_languages(self.settings.data.micro.languages)
        entries = {code: registry.languages()[code] for code in chosen}
        return {code: [entry.iso639_3, entry.cc100_gib] for code, entry in entries.items()}

    @property
    def languages_hash(self) -> str:
        """Hash of the registry of languages."""
        return fingerprint.text_hash(self.json({k: v.model_dump() for k, v in registry.languages().items()}))

    def fertility_file(self, model: str) -> str:
        """The fertility of a model's tokenizer."""
        return f"{self.folder}/fertility/{model}.tsv"

    @property
    def fertility_code(self) -> str:
        """Hash of the measurement and the parser of its texts."""
        return fingerprint.code_hash("scripts/measure_fertility.py", *self.formats(["tatoeba"]))

    def prediction_settings(self, model: str, recipe: str, task: str) -> str:
        """All that decides the predictions of a task, but for weights and data."""
        return self.json(self.plan.prediction_settings(model, recipe, task))

    @property
    def tasks(self) -> list[str]:
        """The evaluation tasks of the run."""
        return sorted({cell.task for cell in self.plan.cells})

    def task(self, name: str) -> EvaluationTask:
        """The plan's entry of an evaluation task; a threshold is tuned on a split that the source has."""
        entry, languages = self.plan.task(name), self.plan.languages(name)
        held = {} if entry.tune is None else {split: self._held(split) for split in _splits(entry.tune)}
        if all(code in codes for codes in held.values() for code in languages):
            return entry
        return entry.model_copy(update={"tune": None})

    def _read_by(self, task: str) -> list[tuple[Split, list[str]]]:
        """Every split that an evaluation task reads, with its languages."""
        entry, found = self.task(task), dict[Split, list[str]]()
        for code in self.plan.languages(task):
            for dataset, split in entry.parts(code):
                found.setdefault(Split(dataset=dataset, split=split), []).append(code)
        return list(found.items())

    def evaluation_inputs(self, task: str) -> list[str]:
        """Folders of an evaluation task."""
        found = [self._inputs(split.dataset, split.split, codes) for split, codes in self._read_by(task)]
        return sorted({folder for folders in found for folder in folders})

    def evaluation_locks(self, task: str) -> dict[str, str]:
        """Checksums of an evaluation task."""
        found: dict[str, str] = {}
        for split, codes in self._read_by(task):
            found |= self._locks(split.dataset, split.split, codes)
        return found

    def _predictions(self, task: str, folder: str) -> list[Path]:
        entry, languages = self.task(task), self.plan.languages(task)
        return [
            prediction_path(Path(folder), entry.type, split, code)
            for code in languages
            for _, split in entry.parts(code)
        ]

    def prediction_files(self, task: str) -> list[str]:
        """Outputs of the prediction rule of a task, with the wildcards of a checkpoint."""
        return self.predictions("{model}", "{recipe}", "{seed}", task)

    def stamp_files(self, task: str) -> list[str]:
        """The stamps beside them, one for each language."""
        folder = self.prediction_folder("{model}", "{recipe}", "{seed}", task)
        return [str(stamp_path(path)) for path in self._predictions(task, folder)]

    def prediction_folder(self, model: str, recipe: str, seed: str | int, task: str) -> str:
        """Where the predictions of one checkpoint for one task lie."""
        return f"{self.folder}/predictions/{model}/{recipe}/seed{seed}/{task}"

    def predictions(self, model: str, recipe: str, seed: str | int, task: str) -> list[str]:
        """The predictions of one checkpoint, and the run files beside them."""
        folder, kind = self.prediction_folder(model, recipe, seed, task), self.plan.task(task).type
        return [str(file) for path in self._predictions(task, folder) for file in written_files(path, kind)]

    @cached_property
    def _xtreme(self) -> dict[tuple[str, str, int], dict[str, Cell]]:
        """By model, recipe and seed, the cells of XTREME's tasks: what its evaluator takes for one model.

        The recipe is that before the stages that train on the tasks' own English data. What has no seed, the
        masked LM as it is, goes with every seed.
        """
        found: dict[tuple[str, str, int], dict[str, Cell]] = {}
        for cell in self.plan.cells:
            if self.plan.task(cell.task).languages.xtreme:
                own = cell.intermediate if cell.intermediate != "-" else MLM
                recipe = cell.recipe if cell.target == "-" else own
                for seed in self.run.seeds if cell.recipe in (MLM, UNTRAINED) else [cell.seed]:
                    found.setdefault((cell.model, recipe, seed), {})[cell.task] = cell
        return found

    @property
    def xtreme_folders(self) -> list[str]:
        """A folder for XTREME's evaluator per model, recipe and seed."""
        return [f"{self.folder}/xtreme/{model}/{recipe}/seed{seed}" for model, recipe, seed in self._xtreme]

    def xtreme_inputs(self, model: str, recipe: str, seed: str) -> list[str]:
        """The predictions that one of them holds."""
        cells = self._xtreme[model, recipe, int(seed)].values()
        return [file for c in cells for file in self.predictions(c.model, c.recipe, c.seed, c.task)]

    def xtreme_data(self, model: str, recipe: str, seed: str) -> list[str]:
        """The folders of their gold examples."""
        return sorted(
            {
                folder
                for task in self._xtreme[model, recipe, int(seed)]
                for folder in self.evaluation_inputs(task)
            }
        )

    def xtreme_locks(self, model: str, recipe: str, seed: str) -> dict[str, str]:
        """The checksums of the same."""
        locks = [self.evaluation_locks(task) for task in self._xtreme[model, recipe, int(seed)]]
        return {path: checksum for each in locks for path, checksum in each.items()}

    def xtreme_parts(self, model: str, recipe: str, seed: str) -> str:
        """Entry, languages and predictions of each task in it."""
        parts = {
            task: {
                "entry": json.loads(self.prediction_entry(task)),
                "wanted": self.plan.task(task).languages.xtreme,
                "languages": self.plan.languages(task),
                "predictions": self.prediction_folder(cell.model, cell.recipe, cell.seed, task),
            }
            for task, cell in self._xtreme[model, recipe, int(seed)].items()
        }
        return self.json(parts)

    def xtreme_code(self, model: str, recipe: str, seed: str) -> str:
        """Hash of the code that lays it out and the parsers of its tasks."""
        tasks = self._xtreme[model, recipe, int(seed)]
        formats = self.formats([self.plan.task(task).data.dataset for task in tasks])
        return fingerprint.code_hash("scripts/arrange_xtreme.py", *formats)

    def prediction_entry(self, task: str) -> str:
        """What a prediction job needs of the registry's entry of a task."""
        return self.json(self.task(task).model_dump(include=set(PredictionTask.model_fields)))

    def scoring_entry(self, task: str) -> str:
        """What a scoring job needs of it; its languages and its target decide no score."""
        return self.json(self.task(task).model_dump(exclude={"languages", "target", "test"}))

    def prediction_script(self, task: str) -> str:
        """The program that predicts a task."""
        return f"scripts/{PROGRAMS.get(self.plan.task(task).type, 'predict_task')}.py"

    def prediction_code(self, task: str) -> str:
        """Hash of the prediction code and the parser of a task; mining tunes a threshold besides."""
        entry = self.plan.task(task)
        formats = self.formats([entry.data.dataset])
        tuning = [SCORERS[entry.type]] if entry.type == "mining" else []
        return fingerprint.code_hash(self.prediction_script(task), *tuning, *formats)

    def scoring_code(self, task: str) -> str:
        """Hash of the metrics and the parser of a task."""
        entry = self.plan.task(task)
        formats = self.formats([entry.data.dataset])
        return fingerprint.code_hash("scripts/score_predictions.py", SCORERS[entry.type], *formats)

    def controls_code(self, task: str) -> str:
        """Hash of the controls and the parser of a task."""
        entry = self.plan.task(task)
        formats = self.formats([entry.data.dataset])
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
        tasks = [task for _, task, _ in self.plan.single_tasks]
        return self.json({task: self.plan.training_task(task).model_dump() for task in tasks})

    @property
    def vacuity_code(self) -> str:
        """Hash of the comparison with constant baselines, which uses the metrics of all task types."""
        return fingerprint.code_hash("scripts/check_vacuity.py", *sorted(SCORERS.values()))

    @property
    def equal_pools_code(self) -> str:
        """Hash of the scores with equal pools and the parser of the primary task."""
        task = self.settings.studies.typology.primary_task
        return fingerprint.code_hash(
            "scripts/score_equal_pools.py", *self.formats([self.plan.task(task).data.dataset])
        )

    def sweep_key(self, model: str) -> str:
        """What tells the scores of a masked LM's sweep from those of others."""
        return self.json({"run": self.run.name, "model": model, "recipe": MLM, "seed": 0})

    def sweep_code(self, task: str) -> str:
        """Hash of the sweep, the metrics and the parser of a task."""
        entry = self.plan.task(task)
        formats = self.formats([entry.data.dataset])
        return fingerprint.code_hash("scripts/score_sweep.py", SCORERS[entry.type], *formats)

    @property
    def sweep_files(self) -> list[str]:
        """A table of every layer and pooling for each model and each of the run's tasks without a head."""
        tasks = self.plan.headless_tasks
        return [f"{self.folder}/sweeps/{model}/{task}.tsv" for model in self.plan.models for task in tasks]

    @property
    def reported(self) -> list[str]:
        """What the page shows of a run besides its studies; of its data, if it makes its scores itself."""
        claims = f"{self.folder}/claims.tsv"
        if self.plan.scores_are_given:
            return [claims]
        names = ("leakage", "vacuity", "incidents", "training", "training_costs")
        tables = [f"{self.folder}/{name}.tsv" for name in names]
        curves = [file for file in self.learning_curves if file.endswith(".svg")]
        return [claims, *tables, *curves, self.fertility_file(self.plan.models[0]), *self.corpus_sizes]

    @property
    def incidents_code(self) -> str:
        """Hash of the table of incidents, which has the best constant answer by the metrics of all types."""
        return fingerprint.code_hash("scripts/collect_incidents.py", *sorted(SCORERS.values()))

    @property
    def learning_curves(self) -> list[str]:
        """A figure of each model's trainings, in every format."""
        kinds = ("svg", "pdf", "png")
        return [
            f"{self.folder}/learning_curves/{model}.{kind}" for model in self.plan.models for kind in kinds
        ]

    @property
    def published_checksum(self) -> str:
        """Of the table of published scores, so that another is noticed.

        Raises:
            DataError: if it is not there.
        """
        path = Path(self.settings.scores.file or "")
        if not path.is_file():
            raise DataError("the table of published scores is missing", where=f"scores.file: {path}")
        return sha256_of(path)

    @property
    def score_files(self) -> list[str]:
        """Every table of scores of the run, controls included."""
        return self.scores_of(self.plan.cells)

    def scores_of(self, cells: list[Cell]) -> list[str]:
        """The tables of scores of some cells, and of the controls of their tasks."""
        tasks = {cell.task for cell in cells}
        controls = [task for task in self.plan.controlled_tasks if task in tasks]
        files = [self.score_file(cell) for cell in cells]
        return files + [f"{self.folder}/scores/controls/{task}.tsv" for task in controls]

    @property
    def corpus_sizes(self) -> list[str]:
        """The sizes of the run's own corpus, where it pre-trains its models on one."""
        return [f"{self.folder}/corpus.tsv"] if self.pretrained_models else []

    @property
    def corpus_option(self) -> str:
        """The same as an option."""
        return "".join(f"--corpus {path}" for path in self.corpus_sizes)

    # Claims and export

    @property
    def run_facts(self) -> str:
        """What the claims may know of the run besides its scores."""
        models = {name: self.settings.models[name] for name in self.plan.models}
        return self.json(
            RunFacts(
                name=self.run.name,
                miniature=self.run.miniature,
                source=self.settings.data.source,
                models={
                    name: model.repository or "" if model.source != "pretrain" else ""
                    for name, model in models.items()
                },
                stages=sorted({(cell.intermediate, cell.target, cell.task) for cell in self.plan.cells}),
                scores_are_given=self.plan.scores_are_given,
                locked=self._locked_counts,
            )
        )

    @property
    def _locked_counts(self) -> dict[str, dict[str, int]]:
        """Examples of all splits that some task trains on, as the lock of the mirror counts them."""
        found: dict[str, dict[str, int]] = {}
        lock = self.lock
        for task in registry.training_tasks().values() if lock else []:
            for split in task.train:
                name, part = split.dataset, split.split
                if lock and name in lock.datasets() and part in lock.splits(name):
                    counts = {code: lock.counts(name, part, code) for code in lock.languages(name, part)}
                    numbers = {
                        code: count["examples"] for code, count in counts.items() if "examples" in count
                    }
                    found[f"{name}/{part}"] = numbers
        return found

    @property
    def outcome_files(self) -> list[str]:
        """The outcomes of every cell, example by example."""
        return [f"{self.folder}/outcomes/{cell.checkpoint}/{cell.task}.parquet" for cell in self.plan.cells]

    @property
    def registry_hash(self) -> str:
        """Hash of the registries of tasks, data sets and languages."""
        kinds = (registry.training_tasks, registry.evaluation_tasks, registry.datasets, registry.languages)
        entries = [{name: entry.model_dump() for name, entry in kind().items()} for kind in kinds]
        return fingerprint.text_hash(json.dumps(entries, sort_keys=True))


def _splits(held: HeldOut) -> list[Split]:
    return [Split(dataset=held.dataset, split=name) for name in held.splits]


def _state(path: Path) -> tuple[int, int]:
    found = path.stat()
    return found.st_size, found.st_mtime_ns


@cache
def _checksum(path: Path, state: tuple[int, int]) -> str:
    """Of a file in a folder of its own; read once, as several jobs ask for it and it may be large."""
    return sha256_of(path)


def _first_folder(dataset: str) -> str:
    """The folder of a data set below the source's root."""
    patterns = [pattern for paths in registry.datasets()[dataset].splits.values() for pattern in paths]
    return patterns[0].split("/")[0]
