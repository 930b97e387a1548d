"""What must be there before any job runs, so that it is said before hours are spent."""

import subprocess
import sys
from pathlib import Path

from xstilts import registry
from xstilts.data.counts import published
from xstilts.data.sources import FolderSource
from xstilts.data_jobs import DataJobs
from xstilts.errors import ConfigError, DataError, NoGpuError
from xstilts.micro.sizes import size_of
from xstilts.model.families import check_masked_lm, family_of
from xstilts.recipes import MLM, UNTRAINED
from xstilts.registry import Split
from xstilts.registry.hub import hub_dataset

OWN = "it is the folder of the publisher's files, at the paths of xstilts/registry/datasets.yaml"


class Preconditions:
    """Those of one run."""

    def __init__(self, data: DataJobs) -> None:
        self.data = data
        self.plan = data.plan

    def validate(self) -> None:
        """Ask for everything that may not be there, so that it is said before any job is planned.

        Raises:
            DataError: if the source lacks a data set, split or language that the run reads.
            ConfigError: if inputs may be longer than a model allows, a recipe wants more examples than there
                are or masked LM of a model that has none, or a data set cannot lie in a folder of its own.
        """
        self._check_folders()
        for task in self.data.tasks:
            for split, languages in self.data.read_by(task):
                self._insist(task, split, languages, trained=False)
        for task in self.plan.training_tasks:
            entry = self.plan.training_task(task)
            for split in entry.splits:
                self._insist(task, split, entry.languages, trained=True)
        if self.data.is_hub and self.data.reads_corpus:
            hub_dataset("text")
        self._check_lengths()
        self._check_masked_lm()
        self._check_caps()
        _ = self.data.all_evaluation_locks, self.data.text_locks

    def _check_folders(self) -> None:
        """Refuse a folder that nothing would read, and one that is not there."""
        tasks = [task for task in registry.training_tasks().values() if not task.is_text]
        known = {split.dataset for task in tasks for split in task.splits}
        known |= {name for name, entry in registry.datasets().items() if entry.evaluation}
        for name, folder in self.data.folders.items():
            where = f"data.folders.{name}"
            if name not in known:
                what = f"no data set '{name}' can lie in a folder of its own"
                raise ConfigError(what, where=where, hint=f"choose among {', '.join(sorted(known))}")
            if not Path(folder).is_dir():
                raise DataError(f"the folder of {name} is missing: {folder}", where=where, hint=OWN)

    def _insist(self, task: str, split: Split, languages: list[str], trained: bool) -> None:
        """Refuse what the source is known to lack.

        It is known beforehand what will be in micro-XTREME and on the hub, and by the lock what is in a
        mirror. A mirror without a lock is looked into only for what has to be obtained first.
        """
        obtain, is_own = registry.datasets()[split.dataset].obtain, split.dataset in self.data.folders
        known = not self.data.is_mirror or self.data.lock
        if not (known or obtain or is_own):
            return
        held = self.data.held(split)
        if lacking := [code for code in languages if code not in held]:
            sources = {"micro": "micro-XTREME", "hub": "the source `hub`"}
            source = sources.get(self.plan.settings.data.source, self.data.lock_path or self.data.source_root)
            there = f"it has {', '.join(held)}" if held else f"it holds {', '.join(self.data.datasets_held)}"
            if is_own:
                source, there = f"data.folders.{split.dataset}", OWN
            if not trained and self.plan.run.split == "test":
                there += "; run.split: dev scores development splits"
            left_out = [task] if trained else [f"{task}/{code}" for code in lacking] if held else []
            leave_out = f"; or leave it out: run.without: [{', '.join(left_out)}]" if left_out else ""
            raise DataError(
                f"{source} has no {split.dataset}/{split.split} in {', '.join(lacking)}, which {task} needs",
                where="run.languages, the recipes, or data",
                hint=(obtain or there) + leave_out,
            )

    def _check_lengths(self) -> None:
        """Models that the run pre-trains have a known longest input."""
        for model, recipe, _ in self.plan.checkpoints:
            shape = self.plan.settings.models[model].architecture
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
            folder = self.plan.settings.models[model].folder
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
        if name in self.data.folders:
            return None
        if self.data.is_micro:
            return size_of(name, part, self.plan.settings.data.micro)
        if self.data.lock:
            return self.data.lock.counts(name, part, language)["examples"]
        return published(name, part, language, self.data.is_hub)

    def check_data(self) -> None:
        """Before the first job: is the mirror there, and is every file of it of the right size?

        The same is asked of the folders of single data sets.

        Raises:
            DataError: naming the folder, or a few of the files at fault.
        """
        trained = [
            split for task in self.plan.training_tasks for split in self.plan.training_task(task).splits
        ]
        scored = [split for task in self.data.tasks for split, _ in self.data.read_by(task)]
        for split in [*trained, *scored]:
            if split.dataset in self.data.folders:
                try:
                    self.data.own_folder(split.dataset).check([f"{split.dataset}/{split.split}"])
                except DataError as error:
                    where = f"data.folders.{split.dataset}: {error.where}"
                    raise DataError(error.what, where=where, hint=OWN) from error
        if self.data.is_mirror:
            locked = self.data.lock.datasets() if self.data.lock else []
            read = self._datasets_read - set(self.data.folders)
            FolderSource(Path(self.data.source_root), self.data.lock).check(
                name for name in locked if name in read
            )

    @property
    def _datasets_read(self) -> set[str]:
        """The data sets that any job reads: of every evaluation task, since nothing of them is trained on."""
        trained = {name for task in self.plan.training_tasks for name in self.data.training_datasets(task)}
        text = {"text", "pairs"} if self.data.reads_corpus else set()
        return {*trained, *self.data.evaluation_datasets, *text}

    def check_device(self) -> None:
        """Before the first job, where jobs run on this machine: is there a GPU, if one is asked for?

        Asked beforehand because a job that fails has lost its old outputs by then.

        Raises:
            NoGpuError: if there is none.
        """
        if self.plan.run.device == "cuda":
            looks = "import sys, torch; sys.exit(not torch.cuda.is_available())"
            if subprocess.run([sys.executable, "-c", looks], check=False).returncode:
                raise NoGpuError
