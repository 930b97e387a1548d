"""What the figures were measured on, without anything that tells whose machine it is."""

import os
import platform
from importlib.metadata import version
from pathlib import Path

import pandas as pd
import torch

LIBRARIES = (
    "torch",
    "transformers",
    "accelerate",
    "sentence-transformers",
    "tokenizers",
    "numpy",
    "faiss-cpu",
)
NO_GPU = "none"


def facts(threads: int) -> pd.DataFrame:
    """A table of facts and their values; `threads` are those of models."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    found = {
        "processor": _processor(),
        "cores": str(len(os.sched_getaffinity(0))),
        "threads": f"{threads} (search: as many as cores)",
        "memory": f"{memory:.0f} GiB",
        "GPU": torch.cuda.get_device_name() if torch.cuda.is_available() else NO_GPU,
        "Python": platform.python_version(),
        **{name: version(name) for name in LIBRARIES},
    }
    return pd.DataFrame({"fact": list(found), "value": list(found.values())})


def _processor() -> str:
    """Its model; by family and model number too, where a virtual machine hides the name."""
    found: dict[str, str] = {}
    path = Path("/proc/cpuinfo")
    for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else []:
        key, _, value = line.partition(":")
        found.setdefault(key.strip(), value.strip())
    if "model name" not in found:
        return platform.machine()
    return f"{found['model name']} (family {found.get('cpu family')}, model {found.get('model')})"
