# xstilts: English intermediate-task training and zero-shot cross-lingual transfer.
#
# The flow: data -> recipes -> checkpoints -> predictions -> scores -> studies -> report; one file of
# rules/ per step, in that order. `snakemake --list-target-rules` names the targets, config.yaml the
# experiment, docs/architecture.md the rest.

import sys
from pathlib import Path

from snakemake.utils import min_version

from xstilts import registry, settings
from xstilts.errors import XstiltsError
from xstilts.fingerprint import code_hash
from xstilts.jobs import Jobs
from xstilts.plan import Plan
from xstilts.preconditions import Preconditions
from xstilts.study_jobs import StudyJobs

min_version("9.0")


configfile: "config.yaml"


try:
    for path in [*workflow.configfiles, *workflow.config_settings.configfiles]:
        registry.load_yaml(Path(path))  # refuses a key given twice, of which Snakemake keeps the last
    JOBS = Jobs(Plan(settings.load(config)))
    PRECONDITIONS = Preconditions(JOBS)
    PRECONDITIONS.validate()
except XstiltsError as error:
    sys.exit(str(error))

STUDY_JOBS = StudyJobs(JOBS)
PLAN = JOBS.plan
RUN = JOBS.folder
JOBS.export_environment()


# The image that this repository's locks make; used with `--sdm apptainer`, and ignored without.
container: "docker://xstilts:0.1.0"


wildcard_constraints:
    model=JOBS.any_of(PLAN.run.models),
    recipe=JOBS.any_of(JOBS.recipes),
    seed=JOBS.any_of(["0", *map(str, PLAN.run.seeds)]),
    task=r"[a-z][a-z0-9_]*",


onstart:
    # Before the first job: what can be known to be missing is said now.
    for name in PLAN.left_out:
        print(f"without {name}: what it needs is in run.without", file=sys.stderr)
    for words in PLAN.smaller_pools:
        print(words, file=sys.stderr)
    try:
        PRECONDITIONS.check_data()
        if workflow.local_exec:
            PRECONDITIONS.check_device()
            if (
                not workflow.deployment_settings.deployment_method
            ):  # a container has an interpreter of its own
                JOBS.offer_warm_start()
    except XstiltsError as error:
        sys.exit(str(error))


onsuccess:
    if (report_page := Path(f"{RUN}/report.html")).is_file():
        print(f"The report: {report_page}", file=sys.stderr)


localrules:
    all,


rule all:
    """Everything: checkpoints, predictions, scores, studies and the report."""
    input:
        f"{RUN}/report.html",
        # By name, so that one that is missing is made again though all that is made of it is there.
        JOBS.checkpoint_folders,
        JOBS.lost_predictions,
        JOBS.score_files,
    message:
        "all of the run is there"


include: "rules/collect.smk"
include: "rules/data.smk"
include: "rules/languages.smk"
include: "rules/models.smk"
include: "rules/training.smk"
include: "rules/prediction.smk"
include: "rules/scores.smk"
include: "rules/studies.smk"
include: "rules/claims.smk"
include: "rules/export.smk"
include: "rules/report.smk"
include: "rules/statistics.smk"
