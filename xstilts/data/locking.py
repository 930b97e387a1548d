"""Making data.lock from a mirror."""

import csv
from pathlib import Path
from typing import Any

from xstilts import registry
from xstilts.data.labels import is_labelled
from xstilts.data.lock import Lock, sha256_of
from xstilts.data.sources import FolderSource, format_module
from xstilts.errors import DataError, RegistryError


def build_lock(root: Path) -> Lock:
    """Hash and count every file of every registered data set that the mirror holds.

    Where the mirror has a MANIFEST.tsv (columns file, sha256, origin), the files must agree with it,
    and their origins are taken from it.

    Raises:
        DataError: if a file is malformed or differs from the manifest.
        RegistryError: if a file fits a data set's pattern but no language of the registry.
    """
    source, manifest = FolderSource(root), _manifest(root)
    content = {name: _dataset(source, name, manifest) for name in sorted(registry.datasets())}
    return Lock({name: entry for name, entry in content.items() if entry["splits"]}, str(root))


def _dataset(source: FolderSource, name: str, manifest: dict[str, dict[str, str]]) -> dict[str, Any]:
    entry = registry.datasets()[name]
    splits = {
        split: {code: _language(source, name, split, code) for code in source.languages(name, split)}
        for split in source.splits(name)
    }
    paths = sorted({path for split in splits.values() for part in split.values() for path in part["files"]})
    _check_all_known(source.root, name, set(paths))
    files = {path: _file(source.root, path, manifest.get(path)) for path in paths}
    return {"title": entry.title, "licence": entry.licence, "files": files, "splits": splits}


def _language(source: FolderSource, dataset: str, split: str, language: str) -> dict[str, Any]:
    paths = source.paths(dataset, split, language)
    files = [path.relative_to(source.root).as_posix() for path in paths]
    parser = format_module(dataset)
    if not hasattr(parser, "parse"):
        return {"files": files, "examples": len(source.lines(dataset, split, language))}
    examples = source.read(dataset, split, language)
    return {
        "files": files,
        "examples": len(examples),
        "dropped": source.dropped(dataset, split, language),
        "unlabelled": sum(not is_labelled(example) for example in examples),
    }


def _file(root: Path, path: str, listed: dict[str, str] | None) -> dict[str, Any]:
    found = sha256_of(root / path)
    if listed and listed["sha256"] != found:
        what = f"{path} differs from MANIFEST.tsv: expected sha256 {listed['sha256']}, found {found}"
        raise DataError(what, where=str(root / path), hint="fetch it again")
    origin = listed["origin"] if listed else ""
    return {"bytes": (root / path).stat().st_size, "sha256": found, "origin": origin}


def _check_all_known(root: Path, dataset: str, known: set[str]) -> None:
    """A language that the registry lacks must not be left out silently."""
    for patterns in registry.datasets()[dataset].splits.values():
        for pattern in patterns:
            files = root.glob(pattern.replace("{language}", "*").replace("{code}", "*"))
            if unknown := sorted({path.relative_to(root).as_posix() for path in files} - known):
                hint = "add its language to languages.yaml, or its code to the data set's `codes`"
                raise RegistryError(f"no language of {dataset} has the file {unknown[0]}", hint=hint)


def _manifest(root: Path) -> dict[str, dict[str, str]]:
    path = root / "MANIFEST.tsv"
    if not path.is_file():
        return {}
    with path.open(encoding="utf-8", newline="") as stream:
        return {row["file"]: row for row in csv.DictReader(stream, delimiter="\t")}
