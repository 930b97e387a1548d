"""Options that several programs of the rules have in common."""

from pathlib import Path
from typing import Annotated

from typer import Option

Model = Annotated[str, Option(help="Name of the model")]
Recipe = Annotated[str, Option(help="The whole recipe")]
Checkpoint = Annotated[Path, Option(help="The checkpoint")]
Task = Annotated[str, Option(help="Name of the evaluation task")]
Entry = Annotated[str, Option(help="Its registry entry, as JSON")]
Languages = Annotated[str, Option(help="Languages, separated by spaces")]
Root = Annotated[Path, Option(help="Source folder of the examples")]
Lock = Annotated[str, Option(help="data.lock of the source folder; none: it has no lock")]
Threads = Annotated[int, Option(help="CPU threads")]
Device = Annotated[str, Option(help="auto, cpu or cuda")]
Precision = Annotated[str, Option(help="auto, float32 or bfloat16")]
Sharded = Annotated[bool, Option(help="Each of several processes keeps only its part of the weights")]
State = Annotated[Path | None, Option(help="Folder of what is kept, to go on after an interruption")]
StateSeconds = Annotated[
    float, Option(help="Most time that an interruption may lose", envvar="XSTILTS_STATE_SECONDS")
]
CardCode = Annotated[str, Option(help="Hash of the code, for the card")]
StampCode = Annotated[str, Option(help="Hash of the code, for the stamps")]
NewCheckpoint = Annotated[Path, Option(help="Folder of the checkpoint")]
Predictions = Annotated[Path, Option(help="Folder of the predictions")]
