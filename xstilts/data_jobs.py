"""What the rules hand to the jobs that read data: folders, checksums, parsers, for one run."""

import json
import re
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from xstilts import fingerprint, registry
from xstilts.data.lock import Lock, load_lock, lock_entry, sha256_of
from xstilts.data.sources import PARQUET, FolderSource
from xstilts.micro.cldr import selected_languages
from xstilts.micro.generate import DATASETS as MICRO_DATASETS
from xstilts.micro.generate import files_of
from xstilts.plan import Plan
from xstilts.registry import EvaluationTask, HeldOut, Split
from xstilts.registry.hub import hub_dataset, hub_datasets

TEXTS = ("text", "pairs")


class DataJobs:
    """One run's source of data, and what is read of it for training and evaluation."""

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

    @cached_property
    def lock(self) -> Lock | None:
        """The checksums of the mirror; micro-XTREME has none, since the run makes it."""
        return None if self.lock_path is None else load_lock(Path(self.lock_path))

    def held(self, split: Split) -> list[str]:
        """The languages of a split that the source has."""
        name, part = split.dataset, split.split
        if name in self.folders:
            folder = self.own_folder(name)
            return folder.languages(name, part) if folder.root.is_dir() else []
        if name not in self.datasets_held and (self.lock or not self.is_mirror):
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
    def datasets_held(self) -> list[str]:
        """The data sets that the source is known to have."""
        if self.is_mirror:
            return self.lock.datasets() if self.lock else []
        return list(MICRO_DATASETS) if self.is_micro else self.hub_names

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

    def _locks(self, dataset: str, split: str, languages: list[str] | None = None) -> dict[str, str]:
        """Checksums of a mirror's files, by its lock, or of those in a folder of their own, as they are."""
        if dataset in self.folders:
            source = self.own_folder(dataset)
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
    def evaluation_datasets(self) -> list[str]:
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
        for name in self.evaluation_datasets:
            for split in registry.datasets()[name].evaluation:
                found += self._inputs(name, split)
        return sorted(set(found))

    @property
    def all_evaluation_locks(self) -> dict[str, str]:
        """Checksums of all evaluation sets."""
        found: dict[str, str] = {}
        for name in self.evaluation_datasets:
            for split in registry.datasets()[name].evaluation:
                if name in self.folders or (self.lock and split in self.lock.splits(name)):
                    found |= self._locks(name, split)
        return found

    @property
    def evaluation_keys_code(self) -> str:
        """Hash of the leakage keys and the parsers of all evaluation sets."""
        formats = self.formats(self.evaluation_datasets)
        return fingerprint.code_hash("scripts/collect_evaluation_keys.py", *formats)

    def training_datasets(self, task: str) -> list[str]:
        """The data sets that a training task reads."""
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

    def own_folder(self, dataset: str) -> FolderSource:
        """The folder of a data set that lies elsewhere."""
        return FolderSource(Path(self.folders[dataset]))

    def source_options(self, task: str) -> str:
        """Where the programs that read an evaluation task find its data; the paths are in the environment."""
        name = self.plan.task(task).data.dataset
        if name in self.folders:
            return f'--root "$XSTILTS_DATA_{name}" --lock ""'
        return '--root "$XSTILTS_SOURCE" --lock "$XSTILTS_LOCK"'

    def training_code(self, task: str) -> str:
        """Hash of the preparation and the parsers of a training task."""
        formats = self.formats(self.training_datasets(task))
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

    @property
    def registry_hash(self) -> str:
        """Hash of the registries of tasks, data sets and languages."""
        kinds = (registry.training_tasks, registry.evaluation_tasks, registry.datasets, registry.languages)
        entries = [{name: entry.model_dump() for name, entry in kind().items()} for kind in kinds]
        return fingerprint.text_hash(json.dumps(entries, sort_keys=True))

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
    def tasks(self) -> list[str]:
        """The evaluation tasks of the run."""
        return sorted({cell.task for cell in self.plan.cells})

    def task(self, name: str) -> EvaluationTask:
        """The plan's entry of an evaluation task; a threshold is tuned on a split that the source has."""
        entry, languages = self.plan.task(name), self.plan.languages(name)
        held = {} if entry.tune is None else {split: self.held(split) for split in _splits(entry.tune)}
        if all(code in codes for codes in held.values() for code in languages):
            return entry
        return entry.model_copy(update={"tune": None})

    def read_by(self, task: str) -> list[tuple[Split, list[str]]]:
        """Every split that an evaluation task reads, with its languages."""
        entry, found = self.task(task), dict[Split, list[str]]()
        for code in self.plan.languages(task):
            for dataset, split in entry.parts(code):
                found.setdefault(Split(dataset=dataset, split=split), []).append(code)
        return list(found.items())

    def evaluation_inputs(self, task: str) -> list[str]:
        """Folders of an evaluation task."""
        found = [self._inputs(split.dataset, split.split, codes) for split, codes in self.read_by(task)]
        return sorted({folder for folders in found for folder in folders})

    def evaluation_locks(self, task: str) -> dict[str, str]:
        """Checksums of an evaluation task."""
        found: dict[str, str] = {}
        for split, codes in self.read_by(task):
            found |= self._locks(split.dataset, split.split, codes)
        return found

    @property
    def locked_counts(self) -> dict[str, dict[str, int]]:
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
