"""Draw the rules of the workflow and who reads what whose output, from the workflow itself."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Annotated

from typer import Option

from xstilts.command_line import run
from xstilts.errors import StudyError
from xstilts.report.rulegraph import draw


def main(
    output: Annotated[Path, Option(help="the drawing to write, as SVG")],
    config: Annotated[
        str, Option(envvar="XSTILTS_SETTINGS", help="The whole configuration, as JSON; empty: config.yaml")
    ] = "",
) -> None:
    """Ask Snakemake for the graph of all that the configuration asks for, up to date or not."""
    with tempfile.TemporaryDirectory() as folder:
        overlay = Path(folder) / "config.json"
        overlay.write_text(config, encoding="utf-8")
        command = [sys.executable, "-m", "snakemake", "--rulegraph", "mermaid-js", "--forceall", "--nolock"]
        command += ["--configfile", str(overlay)] if config else []
        done = subprocess.run(command, capture_output=True, encoding="utf-8", check=False)
    if done.returncode:
        raise StudyError(
            f"snakemake could not draw its rules:\n{done.stderr}", hint="does `snakemake -n` work?"
        )
    output.parent.mkdir(parents=True, exist_ok=True)
    partial = output.with_name(output.name + ".partial")
    partial.write_text(draw(done.stdout), encoding="utf-8", newline="\n")
    os.replace(partial, output)


if __name__ == "__main__":
    run(main)
