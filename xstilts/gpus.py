"""Which GPU a job gets: one that no other job of this machine has, of those that it may see.

Jobs that run side by side would otherwise all take the first one. A GPU is held by a lock on a file, which
ends with the process however that ends.
"""

import fcntl
import os
import runpy
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from tempfile import gettempdir

import pynvml

from xstilts.errors import NoGpuError

VISIBLE = "CUDA_VISIBLE_DEVICES"
SECONDS_BETWEEN_LOOKS = 1.0
_HELD: list[int] = []  # descriptors of the locks, open as long as the process lives


def take(count: int) -> None:
    """Hold so many GPUs until this process ends, and show CUDA no other; waits until they are free.

    Does nothing where PyTorch can use none, NVIDIA's management library sees none, or this process holds
    some already. To be called before CUDA begins.

    Raises:
        NoGpuError: if there are fewer.
    """
    names = visible() if torch_has_cuda() else []
    if names and not _HELD:
        os.environ[VISIBLE] = ",".join(hold(names, count, Path(gettempdir()) / f"xstilts-gpus-{os.getuid()}"))


def torch_has_cuda() -> bool:
    """Whether PyTorch is a build for NVIDIA's GPUs; asked without loading it."""
    found = find_spec("torch")
    assert found is not None and found.submodule_search_locations
    stated = runpy.run_path(str(Path(found.submodule_search_locations[0]) / "version.py"))
    return stated.get("cuda") is not None


def visible() -> list[str]:
    """The GPUs that this process may use, by UUID."""
    with suppress(pynvml.NVMLError):
        pynvml.nvmlInit()
        try:
            handles = [pynvml.nvmlDeviceGetHandleByIndex(i) for i in range(pynvml.nvmlDeviceGetCount())]
            uuids = [str(pynvml.nvmlDeviceGetUUID(handle)) for handle in handles]
        finally:
            pynvml.nvmlShutdown()
        return chosen(uuids, os.environ.get(VISIBLE))
    return []


def chosen(uuids: Sequence[str], setting: str | None) -> list[str]:
    """What CUDA_VISIBLE_DEVICES leaves of a machine's GPUs.

    It has indices and beginnings of UUIDs, and counts up to the first that is wrong or comes twice, as CUDA
    reads it; but indices follow the PCI bus, which CUDA does only with CUDA_DEVICE_ORDER=PCI_BUS_ID where the
    GPUs are not all alike. Parts of a GPU (MIG) stay as they are named.
    """
    if setting is None:
        return list(uuids)
    found: list[str] = []
    for word in filter(None, map(str.strip, setting.split(","))):
        if word.startswith("MIG"):
            found.append(word)
            continue
        fits = [uuid for i, uuid in enumerate(uuids) if word == str(i) or uuid.startswith(word)]
        named = [uuids[int(word)]] if word.isdigit() and int(word) < len(uuids) else fits
        if len(named) != 1 or named[0] in found:
            break
        found += named
    return found


def hold(names: Sequence[str], count: int, folder: Path) -> list[str]:
    """Lock `count` of the named GPUs, the first that are free: all at once, or two jobs wait for each other.

    Raises:
        NoGpuError: if fewer are named.
    """
    if len(names) < count:
        raise NoGpuError(f"{count} GPUs are asked for, and {len(names)} are to be seen")
    folder.mkdir(parents=True, exist_ok=True)
    is_told = False
    while True:
        held = _locked(names, count, folder)
        if len(held) == count:
            _HELD.extend(held.values())
            return list(held)
        for descriptor in held.values():
            os.close(descriptor)
        if not is_told:
            print(f"waiting for {count} free of {len(names)} GPUs", file=sys.stderr)
            is_told = True
        time.sleep(SECONDS_BETWEEN_LOOKS)


def _locked(names: Sequence[str], count: int, folder: Path) -> dict[str, int]:
    """Descriptors of the locks that could be had, `count` at most."""
    held: dict[str, int] = {}
    for name in names:
        if len(held) < count:
            descriptor = os.open(folder / name, os.O_CREAT | os.O_RDWR, 0o600)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                held[name] = descriptor
            except BlockingIOError:
                os.close(descriptor)
    return held
