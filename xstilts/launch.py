"""One job in several processes of this machine, each with a GPU of its own where there are GPUs.

    python -m xstilts.launch --processes 2 --device auto scripts/train_stage.py --device auto ...

torchrun does likewise, but on SIGTERM it kills after 30 seconds, in which a large state is not written. Here
every process gets the signal and ends by itself; only where one fails are the others ended.
"""

import argparse
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from types import FrameType

from xstilts import gpus
from xstilts.errors import XstiltsError
from xstilts.warm import FORWARDED, KILLED

ALIVE = "XSTILTS_LAUNCHER"
"""Environment variable: descriptor of a pipe that ends when the launcher does."""
GRACE = 10.0  # seconds for the others where one has failed
SECONDS_BETWEEN_LOOKS = 0.1


def launch(command: Sequence[str], count: int) -> int:
    """Run a command in `count` processes that know of each other by RANK and WORLD_SIZE.

    Returns:
        0 if all end well, else the exit status of the first that did not.
    """
    alive, _kept_open = os.pipe()
    shared = os.environ | {
        "WORLD_SIZE": str(count), "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(_free_port()),
        ALIVE: str(alive),
    }  # fmt: skip
    workers = [
        subprocess.Popen(
            [sys.executable, *command],
            env=shared | {"RANK": str(rank), "LOCAL_RANK": str(rank)},
            pass_fds=[alive],
        )
        for rank in range(count)
    ]

    def forward(number: int, _: FrameType | None) -> None:
        for worker in workers:
            worker.send_signal(number)

    for number in FORWARDED:
        signal.signal(number, forward)
    return _wait(workers)


def end_with_launcher() -> None:
    """In a worker: end when the launcher does, however that ends; it holds the GPUs, and a retry comes."""
    alive = os.environ.get(ALIVE)
    if alive:
        threading.Thread(target=_end_after, args=(int(alive),), daemon=True).start()


def _end_after(descriptor: int) -> None:
    os.read(descriptor, 1)
    os._exit(KILLED)


def _wait(workers: Sequence[subprocess.Popen[bytes]]) -> int:
    """Until all have ended, or one has failed and the others are ended."""
    while True:
        ended = [status for worker in workers if (status := worker.poll()) is not None]
        failed = [status for status in ended if status]
        if failed:
            _end(workers)
            return 128 - failed[0] if failed[0] < 0 else failed[0]
        if len(ended) == len(workers):
            return 0
        time.sleep(SECONDS_BETWEEN_LOOKS)


def _end(workers: Sequence[subprocess.Popen[bytes]]) -> None:
    """They may be ending by themselves, or wait for the one that is gone."""
    latest = time.monotonic() + GRACE
    for worker in workers:
        try:
            worker.wait(max(0.0, latest - time.monotonic()))
        except subprocess.TimeoutExpired:
            worker.kill()
            worker.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def main() -> int | str:
    """Read the options, take GPUs, and launch; the exit status, or what is wrong."""
    parser = argparse.ArgumentParser(prog="python -m xstilts.launch", description=__doc__)
    parser.add_argument("--processes", type=int, required=True, help="how many")
    parser.add_argument("--device", required=True, help="auto, cpu or cuda; all but cpu take a GPU each")
    parser.add_argument("command", nargs=argparse.REMAINDER, help="a script and its options")
    given = parser.parse_args()
    if given.device != "cpu":
        try:
            gpus.take(given.processes)
        except XstiltsError as error:
            return str(error)
    return launch(given.command, given.processes)


if __name__ == "__main__":
    sys.exit(main())
