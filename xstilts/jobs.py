"""What the rules hand to their jobs: input files, parameters and code hashes, for one run.

Snakemake reruns a job when one of these changes, so each holds only what its job needs. No path and no
time is ever among the parameters; files of a mirror are not inputs but parameters (their checksums).
"""

import json
import os
import sys
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory

from xstilts import fingerprint, recipes, warm
from xstilts.claims.facts import RunFacts
from xstilts.data.lock import sha256_of
from xstilts.data.sources import HUB
from xstilts.data_jobs import DataJobs
from xstilts.errors import DataError
from xstilts.plan import Cell
from xstilts.prediction.stamps import stamp_path
from xstilts.prediction.submission import prediction_path, written_files
from xstilts.recipes import MLM, UNTRAINED
from xstilts.registry import PredictionTask
from xstilts.scoring import SCORERS
from xstilts.varied import resolve

PROGRAMS = {  # of all other types: predict_task
    "retrieval": "predict_retrieval",
    "mining": "predict_mining",
    "dual_encoder": "predict_pool",
}
DUAL_ENCODER = "xstilts.prediction.dual_encoder"  # which stages with such a task load by name


class Jobs(DataJobs):
    """One run's folders, and what each kind of job needs."""

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

    @property
    def fetched(self) -> list[str]:
        """Everything that the run fetches: data, and models."""
        data = [folder for task in self.plan.training_tasks for folder in self.training_inputs(task)]
        data += self.all_evaluation_inputs
        models = [folder for name in self.imported_models for folder in self.model_inputs(name)]
        return sorted(set(data) if self.is_hub else ()) + models

    # Models and training

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
                locked=self.locked_counts,
            )
        )

    @property
    def outcome_files(self) -> list[str]:
        """The outcomes of every cell, example by example."""
        return [f"{self.folder}/outcomes/{cell.checkpoint}/{cell.task}.parquet" for cell in self.plan.cells]
