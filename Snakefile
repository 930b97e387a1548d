# xstilts: English intermediate-task training and zero-shot cross-lingual transfer.
#
# The flow: data -> recipes -> checkpoints -> predictions -> scores -> studies -> report; one file of
# rules/ per step, in that order. `snakemake --list-target-rules` names the targets, config.yaml the
# experiment, docs/architecture.md the rest.

import os
import sys
from pathlib import Path

from snakemake.utils import min_version

from xstilts import registry, settings
from xstilts.errors import XstiltsError
from xstilts.fingerprint import code_hash
from xstilts.jobs import Jobs
from xstilts.plan import Plan

min_version("9.0")


configfile: "config.yaml"


try:
    JOBS = Jobs(Plan(settings.load(config)))
except XstiltsError as error:
    sys.exit(str(error))

PLAN = JOBS.plan
RUN = JOBS.folder
SOURCE = JOBS.source_root
LOCK = JOBS.lock_option

# Jobs find the interpreter that runs Snakemake, and show progress where a person looks on.
os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
os.environ["XSTILTS_PROGRESS"] = "1" if sys.stderr.isatty() else ""


wildcard_constraints:
    model=r"[a-z][a-z0-9_]*",
    recipe=r"[a-z0-9_@+-]+",
    seed=r"\d+",
    task=r"[a-z][a-z0-9_]*",


onstart:
    JOBS.check_data()


include: "rules/collect.smk"
include: "rules/data.smk"
include: "rules/languages.smk"
include: "rules/models.smk"
include: "rules/training.smk"
include: "rules/prediction.smk"
include: "rules/scores.smk"
include: "rules/studies.smk"
