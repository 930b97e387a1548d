"""Jobs without the seconds that importing their libraries takes.

    python -m xstilts.warm scripts/train_stage.py ...      runs the script, by a fork if one is to be had
    python -m xstilts.warm --studies scripts/analyse_study.py ...    likewise, without torch

A small run has hundreds of jobs of a few seconds each, most of them imports. So while Snakemake runs on one
machine, its first model job leaves behind a process that has loaded torch and transformers and nothing else,
and its first study job one with the libraries of statistics and figures. Each later job asks it, by a socket,
for a fork of itself, which runs the script with the job's own arguments, environment, folder and output.
Nothing else changes: the project's code is loaded afresh, the job's process stays until its fork ends, passes
signals on to it, and ends as it does. Where nobody answers (another machine, a container, other thread
counts), the script is run here.
"""

import json
import os
import runpy
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from types import FrameType

FOLDER, OWNER = "XSTILTS_WARM", "XSTILTS_WARM_OWNER"
"""Environment variables: the folder of the sockets, and the process that it is all for."""
THREADS = "OMP_NUM_THREADS"  # read when libraries are loaded, so each value has a process of its own
STUDIES = "studies"
"""Name of the socket of the process for study jobs; those for model jobs have their number of threads."""
MODEL_LIBRARIES = (
    *("torch", "transformers.models.xlm_roberta.modeling_xlm_roberta", "tokenizers", "pandas"),
    *("pyarrow.parquet", "typer", "pydantic", "yaml"),
)
STUDY_LIBRARIES = (
    *("pandas", "scipy.stats", "scipy.optimize", "statsmodels.stats.multitest", "pingouin"),
    *("matplotlib.figure", "matplotlib.backends.backend_agg", "matplotlib.backends.backend_pdf"),
    *("matplotlib.backends.backend_svg", "fontTools.subset", "typer", "pydantic", "yaml"),
)
FORWARDED = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1)
LONGEST = 1 << 22  # bytes of a request
KILLED = 128 + signal.SIGKILL


def run(command: Sequence[str], name: str = "") -> int:
    """Run a script with its arguments; by a fork of the warm process if there is one.

    Args:
        command: The script and its arguments.
        name: Of the process's socket; without, the number of threads.

    Returns:
        Its exit status.
    """
    folder = os.environ.get(FOLDER, "")
    if not folder:
        return _run(command)
    address = Path(folder) / (name or os.environ.get(THREADS, "default"))
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        try:
            connection.connect(str(address))
        except OSError:
            _start(address)
        else:
            return _ask(connection, command)
    return _run(command)


def _run(command: Sequence[str]) -> int:
    """Run a script in this process."""
    sys.argv = list(command)
    sys.path[0] = str(Path(command[0]).resolve().parent)
    try:
        runpy.run_path(command[0], run_name="__main__")
    except SystemExit as end:
        if isinstance(end.code, str):
            print(end.code, file=sys.stderr)
            return 1
        return int(end.code or 0)
    return 0


def _start(address: Path) -> None:
    """Leave a warm process behind for the jobs that come, if no other job has."""
    try:
        os.close(os.open(address.with_name(address.name + ".started"), os.O_CREAT | os.O_EXCL))
    except OSError:  # started, or the folder is gone
        return
    subprocess.Popen(
        [sys.executable, "-m", "xstilts.warm", "--serve", str(address)],
        start_new_session=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def _ask(connection: socket.socket, command: Sequence[str]) -> int:
    """Have a fork run the command, and pass signals on to it."""

    def forward(number: int, _: FrameType | None) -> None:
        connection.sendall(bytes([number]))

    request = {"command": list(command), "folder": str(Path.cwd()), "environment": dict(os.environ)}
    content = json.dumps(request).encode()
    for number in FORWARDED:
        signal.signal(number, forward)
    socket.send_fds(connection, [len(content).to_bytes(4)], [0, 1, 2])
    connection.sendall(content)
    status = connection.recv(1)
    return status[0] if status else KILLED


def serve(address: Path, owner: int, libraries: Sequence[str]) -> None:
    """Load `libraries`, then fork for every request, until the process `owner` or the folder is gone."""
    for name in libraries:
        import_module(name)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # forks answer for themselves
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as server:
        server.bind(str(address))
        server.listen(64)
        server.settimeout(1.0)
        while _is_alive(owner) and address.exists():
            try:
                connection, _ = server.accept()
            except TimeoutError:
                continue
            if os.fork() == 0:
                server.close()
                _answer(connection)
            connection.close()


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except OSError:
        return False
    return True


def _answer(connection: socket.socket) -> None:
    """In the fork: become the job, and report how it ended."""
    connection.setblocking(True)
    size, descriptors, *_ = socket.recv_fds(connection, 4, 3)
    content = b""
    while left := int.from_bytes(size) - len(content):
        received = connection.recv(min(left, LONGEST))
        if not received:  # the client is gone
            os._exit(KILLED)
        content += received
    request = json.loads(content)
    for standard, descriptor in enumerate(descriptors):
        os.dup2(descriptor, standard)
        os.close(descriptor)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    threading.Thread(target=_obey, args=(connection,), daemon=True).start()
    status = 1
    try:
        os.chdir(request["folder"])
        os.environ.clear()
        os.environ.update(request["environment"])
        status = _run(request["command"])
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        connection.sendall(bytes([status & 255]))
        os._exit(status & 255)


def _obey(connection: socket.socket) -> None:
    """Raise the signals that the job's process passes on; end if it is gone."""
    while received := connection.recv(1):
        number = received[0]
        if signal.getsignal(number) is signal.SIG_DFL:  # nobody could say afterwards what it ended by
            connection.sendall(bytes([128 + number]))
            os._exit(128 + number)
        os.kill(os.getpid(), number)
    os._exit(KILLED)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--serve"]:
        socket_address = Path(sys.argv[2])
        of_studies = socket_address.name == STUDIES
        serve(socket_address, int(os.environ[OWNER]), STUDY_LIBRARIES if of_studies else MODEL_LIBRARIES)
    elif sys.argv[1:2] == [f"--{STUDIES}"]:
        sys.exit(run(sys.argv[2:], STUDIES))
    else:
        sys.exit(run(sys.argv[1:]))
