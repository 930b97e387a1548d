"""Lay out predictions and labels of one recipe and seed as XTREME's own evaluate.py reads them."""

import json
import shutil
import sys
from pathlib import Path
from typing import Annotated

from typer import Option

from xstilts import job_options as options
from xstilts.command_line import from_json, run
from xstilts.data.sources import folders_from, open_source, source_of
from xstilts.prediction.xtreme import INCOMPLETE, arrange
from xstilts.registry import PredictionTask


def main(
    parts: Annotated[str, Option(help="entry, languages and folder of predictions by task, as JSON")],
    root: Annotated[Path, Option(help="source folder of the gold examples")],
    output: Annotated[
        Path, Option(help="folder to write: predictions/ and labels/, a folder per task in each")
    ],
    lock: options.Lock = "none",
    folders: Annotated[str, Option(help="folders of data sets that lie elsewhere, as JSON")] = "{}",
) -> None:
    """Write the folder anew."""
    partial = output.with_name(output.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    source, elsewhere = open_source(root, lock), folders_from(folders)
    for task, part in json.loads(parts).items():
        entry = from_json(PredictionTask, json.dumps(part["entry"]), "--parts")
        own, folder = source_of(entry.data.dataset, source, elsewhere), Path(part["predictions"])
        if lacking := arrange(task, entry, part["wanted"], part["languages"], own, folder, partial):
            what = f"{task} lacks {', '.join(lacking)}, at which XTREME's evaluator would stop"
            print(f"{what}: it is in {output / INCOMPLETE}", file=sys.stderr)
    shutil.rmtree(output, ignore_errors=True)
    partial.replace(output)


if __name__ == "__main__":
    run(main)
