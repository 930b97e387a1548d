"""Fetching files of the Hugging Face hub at a fixed commit: the only code that uses the network.

A commit is content-addressed, so it fixes every byte; what is fetched is checked against the sizes and
hashes that the hub gives for that commit, and lies under a temporary folder until all of it is there.
"""

import errno
import hashlib
import json
import os
import re
import shutil
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import Literal

import httpx2
from huggingface_hub import HfApi, constants, hf_hub_download
from huggingface_hub.errors import (
    GatedRepoError,
    HfHubHTTPError,
    LocalEntryNotFoundError,
    OfflineModeIsEnabled,
    RemoteEntryNotFoundError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)
from huggingface_hub.hf_api import RepoFile
from huggingface_hub.utils.tqdm import disable_progress_bars

from xstilts.data.lock import PART_LOCK, sha256_of
from xstilts.errors import DataError
from xstilts.fingerprint import text_hash

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
SHARD = re.compile(r"-\d{5}-of-(\d{5})")
ONLINE = "run the target `fetch` where there is a network, then go on elsewhere"


@dataclass(frozen=True)
class Repository:
    """A repository of the hub at a fixed commit."""

    name: str
    revision: str
    kind: Literal["dataset", "model"] = "dataset"

    def __str__(self) -> str:
        return f"{constants.ENDPOINT}/{'datasets/' if self.kind == 'dataset' else ''}{self.name}"


def fetch(
    repository: Repository,
    patterns: Sequence[str],
    output: Path,
    state: Path,
    optional: Sequence[str] = (),
    languages: Sequence[str] = (),
) -> None:
    """Fetch the files that match, exactly as published, and lock them by their hashes.

    Args:
        repository: Where they are.
        patterns: Paths in it, with `*` in the last part; each has to match something.
        output: The folder to make: the files at their paths, and their lock.
        state: A folder for what is under way; files that are complete there are not fetched again. It goes
            when all is done.
        optional: Patterns that need not match anything.
        languages: What the files hold, for the lock.

    Raises:
        DataError: if the repository, the commit or a file is not there, the hub cannot be reached, a
            connection breaks for good, a file differs from the hub's hash, or the disk is full. Nothing is
            left at `output` then.
    """
    if not os.environ.get("XSTILTS_PROGRESS"):
        disable_progress_bars()
    wanted = state / text_hash(f"{repository} {repository.revision} {patterns} {optional} {languages}")
    files: dict[str, dict[str, str | int]] = {}
    with _explained(repository, output):
        for file in _matching(repository, patterns, optional):
            path = Path(
                hf_hub_download(
                    repository.name,
                    file.path,
                    repo_type=repository.kind,
                    revision=repository.revision,
                    local_dir=wanted,
                )
            )
            _check(path, file, repository)
            origin = f"{repository.name}@{repository.revision}/{file.path}"
            files[file.path] = {"bytes": file.size, "sha256": sha256_of(path), "origin": origin}
        lock = {"languages": list(languages), "files": files}
        (wanted / PART_LOCK).write_text(json.dumps(lock, indent=1) + "\n", encoding="utf-8", newline="\n")
        shutil.rmtree(wanted / ".cache")
        shutil.rmtree(output, ignore_errors=True)
        output.parent.mkdir(parents=True, exist_ok=True)
        wanted.replace(output)
        shutil.rmtree(state)


def _matching(repository: Repository, patterns: Sequence[str], optional: Sequence[str]) -> Iterator[RepoFile]:
    """What the hub has of the files asked for."""
    folders: dict[str, list[RepoFile]] = defaultdict(list)
    for pattern in [*patterns, *optional]:
        folder = str(PurePosixPath(pattern).parent)
        if folder not in folders:
            folders[folder] = list(_listed(repository, folder))
        matching = (file for file in folders[folder] if fnmatchcase(file.path, pattern))
        found = sorted(matching, key=lambda file: file.path)
        if (lacking := _lacking(found)) or (not found and pattern not in optional):
            there = ", ".join(PurePosixPath(file.path).name for file in folders[folder]) or "nothing"
            what = f"{lacking or pattern} is missing at revision {repository.revision}"
            raise DataError(
                f"{what}; in {folder} there is {there}",
                where=str(repository),
                hint="correct the pattern or the revision in xstilts/registry/hub.yaml or the configuration",
            )
        yield from found


def _lacking(files: Sequence[RepoFile]) -> str:
    """A file that is not there of those that are numbered `-00000-of-00003` (weights, from 1)."""
    paths = {file.path for file in files}
    for path in sorted(paths):
        if match := SHARD.search(path):
            first = 0 if path.endswith(".parquet") else 1
            for number in range(first, first + int(match[1])):
                if (
                    other := f"{path[: match.start()]}-{number:05}-of-{match[1]}{path[match.end() :]}"
                ) not in paths:
                    return other
    return ""


def _listed(repository: Repository, folder: str) -> Iterator[RepoFile]:
    try:
        entries = HfApi().list_repo_tree(
            repository.name,
            path_in_repo=None if folder == "." else folder,
            revision=repository.revision,
            repo_type=repository.kind,
        )
        yield from (entry for entry in entries if isinstance(entry, RepoFile))
    except RemoteEntryNotFoundError:
        return


def _check(path: Path, file: RepoFile, repository: Repository) -> None:
    """Compare a file with the hub's size and hash: sha256 of large files, git's own of small ones."""
    found = path.stat().st_size
    fault = "" if found == file.size else f"expected {file.size} bytes, found {found}"
    if not fault and file.lfs is not None and (sha256 := sha256_of(path)) != file.lfs.sha256:
        fault = f"expected sha256 {file.lfs.sha256}, found {sha256}"
    if not fault and file.lfs is None and (blob := _git_hash(path)) != file.blob_id:
        fault = f"expected git hash {file.blob_id}, found {blob}"
    if fault:
        path.unlink()
        what = f"{file.path} differs from what the hub says of it: {fault}"
        raise DataError(what, where=str(repository), hint="run again: it is fetched anew")


def _git_hash(path: Path) -> str:
    content = path.read_bytes()
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


@contextmanager
def _explained(repository: Repository, output: Path) -> Iterator[None]:
    """Turn the client's errors into one that says what, where and what to do."""
    where, short = str(repository), repository.revision[:12]
    try:
        yield
    except GatedRepoError as error:
        hint = "accept its terms on its page, then log in with `hf auth login`"
        raise DataError(
            f"{repository.name} is only for those who accept its terms", where=where, hint=hint
        ) from error
    except RepositoryNotFoundError as error:
        hint = "check the name; a private one needs `hf auth login`"
        raise DataError(
            f"the hub has no {repository.kind} {repository.name}", where=where, hint=hint
        ) from error
    except RevisionNotFoundError as error:
        hint = "give a commit of that repository, 40 digits"
        raise DataError(
            f"{repository.name} has no revision {repository.revision}", where=where, hint=hint
        ) from error
    except OfflineModeIsEnabled as error:
        what = f"{repository.name} at {short} is not here, and HF_HUB_OFFLINE is set"
        raise DataError(what, where=where, hint=f"unset it, or {ONLINE}") from error
    except HfHubHTTPError as error:
        status = error.response.status_code
        what = f"the hub refused a file of {repository.name} at {short}: status {status}"
        raise DataError(what, where=where, hint="run again later: what is complete is kept") from error
    except (httpx2.HTTPError, LocalEntryNotFoundError) as error:
        cause = error.__cause__ or error
        what = f"{repository.name} at {short}: no connection, or one that broke ({type(cause).__name__})"
        raise DataError(
            what, where=where, hint=f"run again: what is complete is kept; or {ONLINE}"
        ) from error
    except OSError as error:
        if error.errno in FULL:
            what = f"the disk is full: {error.strerror}"
            hint = "free some room and run again: what is complete is kept"
            raise DataError(what, where=str(output.parent), hint=hint) from error
        if error.errno is None:  # the client's own check of a file's size
            what = f"{repository.name} at {short}: a file came incomplete"
            raise DataError(what, where=where, hint="run again: what is complete is kept") from error
        raise
