"""What the rules of the studies hand to their jobs, as xstilts.jobs does for all others."""

from functools import cached_property
from pathlib import Path

from xstilts import fingerprint, registry
from xstilts.data.lock import sha256_of
from xstilts.jobs import Jobs
from xstilts.plan import Plan
from xstilts.recipes import MLM
from xstilts.studies.settings import ScaleSettings, SentenceEncoder, SimilaritySettings, TypologySettings

FIGURES = {
    "typology": ("scatter", "forest"),
    "scale": ("slopes", "gains"),
    "qa_retrieval": ("contrasts", "recall"),
    "order": ("sequences", "positions"),
    "similarity": ("scatter", "heat_maps"),
}


class StudyJobs:
    """The tables that each study reads, and the files that it makes."""

    def __init__(self, jobs: Jobs) -> None:
        self.jobs = jobs
        self.plan: Plan = jobs.plan
        self.folder = jobs.folder

    # What a study reads

    def scores(self, study: str) -> list[str]:
        """The tables of scores that it needs: no other study's."""
        if self.plan.scores_are_given:
            return [f"{self.folder}/scores.tsv"]
        return self.jobs.scores_of(self.plan.study_cells(study))

    def fertility(self, study: str) -> list[str]:
        """The fertility of each model's tokenizer, for a study with that covariate."""
        settings = self.plan.studies[study]
        needed = isinstance(settings, TypologySettings | ScaleSettings) and "fertility" in settings.covariates
        models = self.plan.study_models(study) if needed and not self.plan.scores_are_given else []
        return [self.jobs.fertility_file(model) for model in models]

    def corpus(self, study: str) -> list[str]:
        """The sizes of the run's own corpus, where it pre-trains a model of the study on one."""
        own = any(map(self.plan.is_pretrained, self.plan.study_models(study)))
        return self.jobs.corpus_sizes if own else []

    def additional(self, study: str) -> list[str]:
        """What one study alone reads."""
        if study == "typology":
            return self.equal_pools
        return [f"{self.folder}/similarity.tsv"] if study == "similarity" else []

    @property
    def equal_pools(self) -> list[str]:
        """The scores of S1's primary model, recipe and task with equal pools, by seed."""
        study = self.plan.settings.studies.typology
        primary = self.plan.study_models("typology")[0], str(self.plan.recipe(study.primary_recipe))
        return [
            f"{self.folder}/scores/equal_pools/{cell.checkpoint}/{cell.task}.tsv"
            for cell in self.plan.cells
            if (cell.model, cell.recipe) == primary and cell.task == study.primary_task
        ]

    def incidents(self, study: str) -> list[str]:
        """What went wrong in the trainings behind its scores, where the run makes them."""
        return [] if self.plan.scores_are_given else [f"{self.folder}/studies/{study}/incidents.tsv"]

    def options(self, study: str) -> str:
        """The tables of a study besides scores and languages, as options of its programs."""
        tables = {
            "fertility": self.fertility(study),
            "corpus": self.corpus(study),
            "extra": self.additional(study),
        }
        return " ".join(f"--{option} {path}" for option, paths in tables.items() for path in paths)

    def code(self, verb: str, module: str, study: str) -> str:
        """Hash of a study's program (`analyse` or `plot`) and the module that it loads by name."""
        return fingerprint.code_hash(f"scripts/{verb}_study.py", f"xstilts.studies.{study}.{module}")

    def settings(self, study: str) -> str:
        """The settings of a study's jobs."""
        return self.jobs.json(self.plan.study_job(study))

    # What a study makes

    def decision(self, study: str) -> dict[str, str]:
        """Its statistics and its verdict."""
        folder = f"{self.folder}/studies/{study}"
        return {"tests": f"{folder}/tests.tsv", "verdict": f"{folder}/verdict.json"}

    @property
    def decisions(self) -> list[str]:
        """Those of all studies of the run."""
        return [file for study in self.plan.studies for file in self.decision(study).values()]

    def figures(self, study: str) -> list[str]:
        """Its figures, in every format."""
        folder = f"{self.folder}/studies/{study}"
        return [f"{folder}/{figure}.{kind}" for figure in FIGURES[study] for kind in ("svg", "pdf", "png")]

    def files(self, study: str) -> list[str]:
        """Everything that it makes, if the run has it."""
        return [*self.decision(study).values(), *self.figures(study)] if study in self.plan.studies else []

    @property
    def all_files(self) -> list[str]:
        """Everything that all studies of the run make."""
        own = [file for study in self.plan.studies for file in self.files(study)]
        return [*own, f"{self.folder}/studies/verdicts.tsv"]

    @property
    def reported(self) -> list[str]:
        """What the page shows of them."""
        return [file for file in self.all_files if file.endswith((".tsv", ".json", ".svg"))]

    @property
    def report_code(self) -> str:
        """Hash of the page's code and the words of each study, which it loads by name."""
        words = [f"xstilts.studies.{study}.words" for study in self.plan.studies]
        return fingerprint.code_hash("scripts/build_report.py", *words)

    @property
    def all_settings(self) -> str:
        """The settings of all studies' jobs, in their order."""
        return self.jobs.json({study: self.plan.study_job(study).model_dump() for study in self.plan.studies})

    @property
    def miniature_note(self) -> str:
        """What every figure of a miniature says."""
        note = f"Run {self.plan.run.name}: a miniature; it says nothing about large models."
        return note if self.plan.run.miniature else ""

    # The comparison of tasks that S5 reads

    @cached_property
    def _similarity(self) -> SimilaritySettings:
        return self.plan.settings.studies.similarity

    @property
    def encoder(self) -> SentenceEncoder:
        """What embeds the tasks' examples."""
        return self._similarity.encoder

    @property
    def sentence_encoder(self) -> list[str]:
        """The model that embeds the tasks' examples, if the run makes or fetches it."""
        if self.encoder.source == "run":
            return [self.jobs.checkpoint(self._encoder_model, MLM, 0)]
        return [f"{self.folder}/source/sentence_encoder"] if self.encoder.source == "hub" else []

    @property
    def fetched(self) -> list[str]:
        """The sentence encoder, where it is one of the hub and the run compares tasks."""
        wanted = self.plan.compares_tasks and self.encoder.source == "hub"
        return self.sentence_encoder if wanted else []

    @cached_property
    def encoder_hash(self) -> str:
        """Hash of the files of a sentence encoder in a folder, so that another is noticed."""
        folder = self.encoder.folder
        if self.encoder.source != "folder" or folder is None or not Path(folder).is_dir():
            return ""
        files = sorted(path for path in Path(folder).rglob("*") if path.is_file())
        lines = [f"{path.relative_to(folder).as_posix()} {sha256_of(path)}\n" for path in files]
        return fingerprint.text_hash("".join(lines))

    @property
    def _encoder_model(self) -> str:
        """The model of the run that `source: run` wraps: the study's first."""
        return (self._similarity.models or self.plan.run.models)[0]

    @property
    def comparison_threads(self) -> int:
        """CPU threads of the comparison."""
        return self.jobs.threads(self._encoder_model, MLM)

    @property
    def compared_training(self) -> list[str]:
        """The tasks whose English training examples are compared: intermediate tasks and target stages."""
        if "similarity" not in self.plan.studies:
            return []
        stages = self.plan.chosen(self._similarity.recipes)
        stages += [
            self.plan.recipe(target) for task in self._similarity.tasks if (target := self.plan.target(task))
        ]
        return sorted({task for stage in stages for task in stage.tasks})

    @property
    def compared_evaluation(self) -> list[str]:
        """The target tasks without training data, whose English evaluation text is compared."""
        chosen = self._similarity.tasks if "similarity" in self.plan.studies else []
        return [task for task in chosen if self.plan.target(task) is None]

    @property
    def comparison(self) -> str:
        """Which tasks are compared, and how; nothing where no study asks."""
        study = self._similarity
        if not self.plan.compares_tasks:
            return self.jobs.json({})
        own = self.plan.settings.models.get(self._encoder_model)
        layer = own.retrieval_layer if own and study.encoder.source == "run" else None
        return self.jobs.json(
            {
                "intermediates": [str(recipe) for recipe in self.plan.chosen(study.recipes)],
                "targets": {task: self.plan.target(task) or "" for task in study.tasks},
                "evaluation": {
                    task: {
                        "data": self.plan.task(task).data.model_dump(),
                        "languages": self.plan.languages(task),
                    }
                    for task in self.compared_evaluation
                },
                "sample": study.sample,
                "source": study.encoder.source,
                "layer": layer,
                "pool": self.plan.settings.retrieval.pool,
            }
        )

    @property
    def comparison_code(self) -> str:
        """Hash of the comparison and the parsers of the evaluation sets."""
        entries = registry.evaluation_tasks()
        datasets = [entries[task].data.dataset for task in self.compared_evaluation]
        return fingerprint.code_hash("scripts/compare_tasks.py", *self.jobs.formats(datasets))
