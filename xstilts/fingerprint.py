"""Content hashes of code: what a job runs, so that an edit reruns just the jobs that it touches.

Snakemake sees neither edits to imported modules nor edits to a program called from `shell:`. Every
rule therefore carries, as a param, the hash of its script and of all project modules that the script
imports, directly or not. Modules that are loaded by name (parsers, generators) are given by the rule.
"""

import ast
import hashlib
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = Path(__file__).resolve().parent.name
LOCKS = [ROOT / "envs" / name for name in ("torch-cpu.lock", "torch.lock", "xstilts.lock")]
_VERSION_FILE = Path(__file__).resolve().parent / "__init__.py"  # a new version alone changes no result


def _module_file(module: str) -> Path | None:
    base = ROOT.joinpath(*module.split("."))
    return next((file for file in (base.with_suffix(".py"), base / "__init__.py") if file.is_file()), None)


def _names(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
        return [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return []


@cache
def _imports(file: Path) -> frozenset[Path]:
    """The project files that `file` imports itself, at any depth of its code."""
    tree = ast.parse(file.read_text(encoding="utf-8"), filename=str(file))
    names = {name for node in ast.walk(tree) for name in _names(node) if name.split(".")[0] == PACKAGE}
    packages = {name.rsplit(".", cut)[0] for name in names for cut in range(name.count(".") + 1)}
    found = (_module_file(name) for name in names | packages)
    return frozenset(file for file in found if file is not None and file != _VERSION_FILE)


@cache
def _digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def sources(*starts: Path) -> list[Path]:
    """All project files that the given files reach by imports, themselves among them, sorted."""
    reached: set[Path] = set()
    pending = list(starts)
    while pending:
        file = pending.pop()
        if file not in reached:
            reached.add(file)
            pending.extend(_imports(file))
    return sorted(reached)


@cache
def code_hash(script: str, *modules: str) -> str:
    """The hash of a script, of all that it imports from the project, of named modules and of the locks.

    Args:
        script: Path of the script, relative to the repository.
        modules: Dotted names of modules that the script loads by name for this job.

    Returns:
        The first 16 hexadecimal digits of a SHA-256.
    """
    starts = [ROOT / script]
    for module in modules:
        file = _module_file(module)
        if file is None:
            raise FileNotFoundError(f"no module {module}")
        starts.append(file)
    whole = hashlib.sha256()
    for file in [*sources(*starts), *LOCKS]:
        whole.update(f"{file.relative_to(ROOT).as_posix()} {_digest(file)}\n".encode())
    return whole.hexdigest()[:16]


def text_hash(text: str) -> str:
    """The hash of a text."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]
