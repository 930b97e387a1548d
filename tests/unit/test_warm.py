"""A script run by a fork of the warm process behaves as one that is run by itself."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from xstilts import warm

SERVE = """import sys
from pathlib import Path
from xstilts.warm import serve
serve(Path(sys.argv[1]), int(sys.argv[2]), ())
"""


def until(condition: object, seconds: float = 60.0) -> None:
    assert callable(condition)
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[dict[str, str]]:
    """The environment of jobs that a warm process without libraries answers."""
    folder = tmp_path / "warm"
    folder.mkdir()
    environment = {**os.environ, warm.FOLDER: str(folder), warm.OWNER: str(os.getpid()), warm.THREADS: "1"}
    server = subprocess.Popen(
        [sys.executable, "-c", SERVE, str(folder / "1"), str(os.getpid())], env=environment
    )
    until((folder / "1").exists)
    time.sleep(0.1)  # bound, and listening
    yield environment
    server.kill()
    server.wait()


def script(folder: Path, text: str) -> Path:
    path = folder / "job.py"
    path.write_text(text, encoding="utf-8")
    return path


def run(path: Path, *arguments: str, **options: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "xstilts.warm", str(path), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, **options)  # type: ignore[call-overload]


WHO = "import os, sys; print(os.getppid(), sys.argv[1:], os.getcwd(), os.environ.get('MARK'), sys.path[0])"


def test_a_fork_has_the_jobs_arguments_folder_environment_and_output(
    served: dict[str, str], tmp_path: Path
) -> None:
    path = script(tmp_path, WHO + "; print('to stderr', file=sys.stderr)")
    own = {**os.environ, "MARK": "here"}
    own.pop(warm.FOLDER, None)
    cold = run(path, "a", "b c", cwd=tmp_path, env=own)
    warmed = run(path, "a", "b c", cwd=tmp_path, env={**served, "MARK": "here"})
    assert cold.returncode == warmed.returncode == 0
    assert cold.stdout.split(" ", 1)[1] == warmed.stdout.split(" ", 1)[1]
    assert cold.stdout.split()[0] != warmed.stdout.split()[0]  # the warm one is no child of its job
    assert cold.stderr == warmed.stderr == "to stderr\n"


@pytest.mark.parametrize(
    ("text", "status", "message"),
    [
        ("pass", 0, ""),
        ("raise SystemExit(3)", 3, ""),
        ("import sys; sys.exit('ConfigError: no')", 1, "ConfigError: no"),
        ("raise ValueError('broken')", 1, "ValueError: broken"),
        ("import os; os._exit(7)", warm.KILLED, ""),
    ],
)
def test_it_ends_as_the_script_ends(
    served: dict[str, str], tmp_path: Path, text: str, status: int, message: str
) -> None:
    done = run(script(tmp_path, text), env=served)
    assert done.returncode == status
    assert message in done.stderr


def test_signals_reach_the_fork(served: dict[str, str], tmp_path: Path) -> None:
    mark, ready = tmp_path / "mark", tmp_path / "ready"
    path = script(
        tmp_path,
        "import pathlib, signal, sys, time\n"
        f"def end(*_):\n    pathlib.Path({str(mark)!r}).touch()\n    sys.exit(5)\n"
        f"signal.signal(signal.SIGTERM, end)\npathlib.Path({str(ready)!r}).touch()\ntime.sleep(60)\n",
    )
    job = subprocess.Popen([sys.executable, "-m", "xstilts.warm", str(path)], env=served)
    until(ready.exists)
    job.send_signal(signal.SIGTERM)
    assert job.wait(30) == 5
    assert mark.exists()


def test_a_fork_does_not_outlive_its_job(served: dict[str, str], tmp_path: Path) -> None:
    number = tmp_path / "number"
    path = script(
        tmp_path,
        "import os, pathlib, time\n"
        f"pathlib.Path({str(number)!r}).write_text(str(os.getpid()))\ntime.sleep(60)\n",
    )
    job = subprocess.Popen([sys.executable, "-m", "xstilts.warm", str(path)], env=served)
    until(lambda: number.exists() and number.read_text())
    job.kill()
    job.wait()

    def gone() -> bool:
        try:
            os.kill(int(number.read_text()), 0)
        except ProcessLookupError:
            return True
        return False

    until(gone)


def test_without_a_warm_process_the_script_runs_here_and_leaves_one_behind(tmp_path: Path) -> None:
    folder = tmp_path / "warm"
    folder.mkdir()
    owner = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(120)"])
    environment = {**os.environ, warm.FOLDER: str(folder), warm.OWNER: str(owner.pid), warm.THREADS: "2"}
    path = script(tmp_path, WHO)
    cold = run(path, env=environment)
    assert cold.stdout.split()[0] == str(os.getpid())
    until((folder / "2").exists)
    until(lambda: run(path, env=environment).stdout.split()[0] != str(os.getpid()))
    other = run(path, env={**environment, warm.THREADS: "1", warm.OWNER: "0"})
    assert other.stdout.split()[0] == str(os.getpid())  # other thread counts have a process of their own
    owner.kill()
    owner.wait()

    def nobody_answers() -> bool:
        return run(path, env=environment).stdout.split()[0] == str(os.getpid())

    until(nobody_answers)


def test_without_the_variable_the_script_just_runs(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if name != warm.FOLDER}
    done = run(script(tmp_path, "print('ran')"), env=environment)
    assert (done.returncode, done.stdout) == (0, "ran\n")


@pytest.mark.parametrize(("libraries", "with_torch"), [("MODEL_LIBRARIES", True), ("STUDY_LIBRARIES", False)])
def test_the_libraries_are_there_and_those_of_studies_are_without_torch(
    libraries: str, with_torch: bool
) -> None:
    code = (
        "import sys; from importlib import import_module; from xstilts import warm\n"
        f"for name in warm.{libraries}: import_module(name)\n"
        "print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout == f"{with_torch}\n", done.stderr


def test_study_jobs_have_a_process_of_their_own(served: dict[str, str], tmp_path: Path) -> None:
    path = script(tmp_path, WHO)
    command = [sys.executable, "-m", "xstilts.warm", f"--{warm.STUDIES}", str(path)]
    environment = {**served, warm.OWNER: "0"}  # none is left behind
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert done.stdout.split()[0] == str(os.getpid())
    (Path(served[warm.FOLDER]) / warm.STUDIES).symlink_to(Path(served[warm.FOLDER]) / "1")
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert done.stdout.split()[0] != str(os.getpid())
