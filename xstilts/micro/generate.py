"""Writing micro-XTREME's data sets, each by itself, at the paths of the registry of data sets."""

import os
import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType

from xstilts.errors import RegistryError
from xstilts.micro.settings import MicroSettings
from xstilts.registry import Dataset, datasets
from xstilts.registry import languages as registered_languages

DATASETS = (
    *(
        "anli",
        "bucc2018",
        "ccg",
        "cosmosqa",
        "csqa",
        "hellaswag",
        "mewslix",
        "mewslix_pairs",
        "mlqa",
        "mlqa_r",
    ),
    *("mnli", "pairs", "panx", "pawsx", "qqp", "siqa", "snli", "squad1", "squad1_mt", "squad2", "tatoeba"),
    *("text", "tydiqa", "udpos", "xcopa", "xnli", "xquad", "xquad_r"),
)


def _module(dataset: str) -> ModuleType:
    if dataset not in DATASETS:
        raise RegistryError(
            f"micro-XTREME has no data set '{dataset}'", hint=f"choose among {', '.join(DATASETS)}"
        )
    return import_module(f"xstilts.micro.{dataset}")


def _paths(entry: Dataset, split: str, language: str) -> list[str]:
    code = entry.codes.get(language) or registered_languages()[language].iso639_3
    named = (pattern.format(language=language, code=code) for pattern in entry.splits[split])
    return [_first(pattern) for pattern in named]


def _first(pattern: str) -> str:
    """A file that a pattern matches: of `0[2-9]/*.auto`, `02/micro.auto`."""
    return re.sub(r"\[(.)[^\]]*\]", r"\1", pattern).replace("*", "micro")


def _plan(dataset: str, settings: MicroSettings) -> Iterator[tuple[str, str, list[str]]]:
    for split, languages in _module(dataset).splits(settings).items():
        for language in languages:
            yield split, language, _paths(datasets()[dataset], split, language)


def files_of(dataset: str, settings: MicroSettings) -> dict[str, dict[str, list[str]]]:
    """The files that `generate` writes, relative to the root: split -> language -> paths.

    Raises:
        RegistryError: if micro-XTREME does not have the data set.
        ConfigError: if a chosen language is not covered.
    """
    files: dict[str, dict[str, list[str]]] = {}
    for split, language, paths in _plan(dataset, settings):
        files.setdefault(split, {})[language] = paths
    return files


def generate(dataset: str, settings: MicroSettings, root: Path) -> None:
    """Write one data set below `root`; the same settings give the same bytes.

    Raises:
        RegistryError: if micro-XTREME does not have the data set.
        ConfigError: if the settings ask for what CLDR does not give.
    """
    module = _module(dataset)
    for split, language, paths in _plan(dataset, settings):
        for path, content in zip(paths, module.build(settings, split, language), strict=True):
            target = root / path
            target.parent.mkdir(parents=True, exist_ok=True)
            partial = target.with_name(target.name + ".partial")
            partial.write_text(content, encoding="utf-8", newline="\n")
            os.replace(partial, target)
