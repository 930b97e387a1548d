"""The set-up: locks that pin everything, messages for what a machine lacks, and files that agree."""

import re
import shutil
import stat
import subprocess
import sys
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement

import xstilts

ROOT = Path(__file__).parents[2]
LOCKS = ["build", "xstilts", "test", "torch", "torch-cpu"]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
in_environment = pytest.mark.skipif(
    Path(sys.prefix) != ROOT / ".venv", reason="these tests do not run in .venv (make test does that)"
)


def locked(lock: str) -> dict[Requirement, list[str]]:
    """The requirements of envs/`lock`.lock with the sha256 sums of each."""
    text = (ROOT / "envs" / f"{lock}.lock").read_text(encoding="utf-8")
    joined = re.sub(r"#.*", "", text).replace("\\\n", " ")
    lines = [line.split(" --hash=sha256:") for line in joined.splitlines() if line.strip()]
    return {Requirement(line[0].strip()): [entry.strip() for entry in line[1:]] for line in lines}


def tracked_files() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    names = [name for name in listed.stdout.decode().split("\0") if name]
    return [ROOT / name for name in names if (ROOT / name).is_file()]


@pytest.mark.parametrize("lock", LOCKS)
def test_lock_pins_every_package_by_version_and_hash(lock: str) -> None:
    requirements = locked(lock)
    assert requirements
    for requirement, sums in requirements.items():
        assert re.fullmatch(r"={2,3}[^,*]+", str(requirement.specifier)), f"{requirement} is not pinned"
        assert requirement.url is None
        assert sums, f"{requirement} has no hash"
        assert all(re.fullmatch(r"[0-9a-f]{64}", entry) for entry in sums)


@pytest.mark.parametrize("lock", LOCKS)
def test_lock_names_no_place_to_load_from(lock: str) -> None:
    text = (ROOT / "envs" / f"{lock}.lock").read_text(encoding="utf-8")
    assert "://" not in text
    assert not re.search(r"^\s*-", text.replace("    --hash", ""), re.MULTILINE)


def test_install_reads_the_locks_that_there_are() -> None:
    assert sorted(LOCKS) == sorted(path.stem for path in (ROOT / "envs").glob("*.lock"))
    script = (ROOT / "envs" / "install.sh").read_text(encoding="utf-8")
    assert all(f"envs/{lock}.lock" in script for lock in LOCKS)


def test_locks_agree_with_one_another() -> None:
    versions: dict[str, set[str]] = {}
    for lock in LOCKS:
        for requirement in locked(lock):
            versions.setdefault(requirement.name, set()).add(str(requirement.specifier).lstrip("="))
    torch = versions.pop("torch")
    assert torch == {"2.13.0", "2.13.0+cpu"}
    assert {name: found for name, found in versions.items() if len(found) > 1} == {}


def test_common_lock_has_no_torch_and_no_cuda() -> None:
    names = {requirement.name for requirement in locked("xstilts")}
    heavy = {name for name in names if name.startswith(("torch", "nvidia", "cuda", "triton"))}
    assert heavy == {"nvidia-ml-py"}  # one file of Python, by which the driver is asked


def test_locks_hold_what_the_project_asks_for() -> None:
    pins = {
        requirement.name: str(requirement.specifier).lstrip("=")
        for lock in LOCKS
        for requirement in locked(lock)
    }
    groups = [entry for group in PROJECT["dependency-groups"].values() for entry in group]
    for entry in [*PROJECT["project"]["dependencies"], *groups, *PROJECT["build-system"]["requires"]]:
        wanted = Requirement(entry)
        assert wanted.specifier.contains(pins[wanted.name]), f"{entry}: the lock has {pins[wanted.name]}"


@in_environment
@pytest.mark.parametrize("lock", ["build", "xstilts", "test"])
def test_environment_is_what_the_lock_says(lock: str) -> None:
    applying = [
        requirement
        for requirement in locked(lock)
        if requirement.marker is None or requirement.marker.evaluate()
    ]
    found = {requirement.name: f"=={version(requirement.name)}" for requirement in applying}
    assert found == {requirement.name: str(requirement.specifier) for requirement in applying}


@in_environment
def test_environment_lacks_nothing_that_its_packages_need() -> None:
    done = subprocess.run([sys.executable, "-m", "pip", "check"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


@in_environment
def test_set_up_does_nothing_and_needs_no_network_where_it_is_done() -> None:
    done = subprocess.run(
        ["sh", "envs/install.sh"],
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin", "PIP_NO_INDEX": "1"},
        capture_output=True,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """The files of the set-up in a folder without an environment."""
    shutil.copytree(ROOT / "envs", tmp_path / "envs")
    return tmp_path


def interpreter(folder: Path, preamble: str) -> Path:
    """This interpreter as another machine may have it: `preamble` runs before everything else."""
    start = folder / "start"
    start.mkdir()
    (start / "sitecustomize.py").write_text(preamble, encoding="utf-8")
    program = folder / "python"
    program.write_text(f'#!/bin/sh\nPYTHONPATH="{start}" exec "{sys.executable}" "$@"\n', encoding="utf-8")
    program.chmod(0o755)
    return program


def install(clone: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": "/usr/bin:/bin", "PIP_NO_INDEX": "1", **variables}
    return subprocess.run(
        ["sh", "envs/install.sh"], cwd=clone, env=environment, capture_output=True, text=True
    )


@pytest.mark.parametrize(
    ("preamble", "message"),
    [
        ("import sys; sys.modules['ensurepip'] = None", r"apt-get install python3\.\d+-venv"),
        ("import sys; sys.version_info = (3, 10, 12)", "is Python 3.10, but 3.11 to 3.14 is needed"),
        ("import sys; sys.version_info = (3, 15, 0)", "is Python 3.15, but 3.11 to 3.14 is needed"),
    ],
)
def test_what_an_interpreter_lacks_is_said_in_one_line(clone: Path, preamble: str, message: str) -> None:
    done = install(clone, PYTHON=str(interpreter(clone, preamble)))
    assert done.returncode == 1
    assert re.search(message, done.stderr)
    assert done.stderr.count("\n") == 1
    assert not (clone / ".venv").exists()


def test_no_interpreter_is_said_in_one_line(clone: Path) -> None:
    done = install(clone, PYTHON="python-that-is-not-there")
    assert done.returncode == 1
    assert done.stderr.startswith("xstilts: no python-that-is-not-there here")
    assert done.stderr.count("\n") == 1


def test_an_unknown_build_of_torch_is_said_in_one_line(clone: Path) -> None:
    done = install(clone, TORCH="rocm")
    assert done.returncode == 1
    assert done.stderr == "xstilts: TORCH=rocm is unknown: say cpu, cuda or auto\n"


def test_a_set_up_that_stops_says_how_to_go_on(clone: Path) -> None:
    done = install(clone, PYTHON=sys.executable, PIP_CONFIG_FILE="/dev/null")
    assert done.returncode != 0
    assert "could not find a version" in done.stderr.lower()
    assert done.stderr.splitlines()[-1].endswith("the same command goes on from here")
    assert not (clone / ".venv" / "done").exists()


def test_no_tracked_file_holds_a_path_of_one_machine_or_a_package_registry() -> None:
    places = [f"/{folder}/" for folder in ("work", "root", "farm", "opt/wheels")] + [r"/home/[a-z]+/"]
    registries = [rf"{name}\.(org|io|com)" for name in ("py" + "pi", "python" + "hosted", "npm" + "js")]
    pattern = re.compile(rf"(?<![\w.$*])({'|'.join(places)})|{'|'.join(registries)}")
    faults = [
        f"{path.relative_to(ROOT)}: {found.group()}"
        for path in tracked_files()
        if (found := pattern.search(path.read_text(encoding="utf-8", errors="replace")))
    ]
    assert faults == []


def test_readme_names_only_what_exists() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`([\w.-]+(?:/[\w./-]*)?)`", text)) | set(
        re.findall(r"(?<=--configfile )\S+", text)
    )
    files = {name for name in named if re.search(r"/|\.\w+$|^[A-Z][A-Za-z]+$", name)}
    files -= {name for name in files if name.startswith(("results/", ".venv"))}
    assert {"Snakefile", "config.yaml", "docs/architecture.md", "LICENSE"} <= files
    assert {name for name in files if not (ROOT / name).exists()} == set()


def test_readme_names_only_commands_that_exist() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE))
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    named = set(re.findall(r"(?:^    |`)make ([a-z]+)", readme, re.MULTILINE))
    assert {"demo", "test", "help"} <= named <= targets


def test_make_help_explains_every_target() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    declared = re.search(r"^\.PHONY: (.+)$", makefile, re.MULTILINE)
    assert declared
    command = ["make", "--no-print-directory", "help"]  # under another make, it would print more
    shown = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    explained = {line.split()[1] for line in shown.splitlines() if line}
    patterns = set(re.findall(r"^([a-z-]+%):", makefile, re.MULTILINE))  # cannot be phony
    assert explained == set(declared.group(1).split()) | patterns


def test_citation_and_licence_agree_with_the_package() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["version"] == xstilts.__version__
    assert citation["license"] == PROJECT["project"]["license"] == "Apache-2.0"
    assert "Apache License" in (ROOT / "LICENSE").read_text(encoding="utf-8")


@pytest.mark.parametrize("program", [".ci/run", "envs/install.sh", "envs/lock.sh"])
def test_shell_programs_run_and_parse(program: str) -> None:
    path = ROOT / program
    assert path.stat().st_mode & stat.S_IXUSR
    shell = path.read_text(encoding="utf-8").split("\n", 1)[0].rsplit("/", 1)[1].removeprefix("env ")
    subprocess.run([shell, "-n", str(path)], check=True)
