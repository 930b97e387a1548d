"""Facts of the registry of languages, and the table of distances built from it."""

import csv
import os
import re
import subprocess
import sys
from importlib import resources
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from xstilts import registry
from xstilts.errors import RegistryError
from xstilts.languages import language_table
from xstilts.registry import Language
from xstilts.tables import read_table, write_table
from xstilts.uriel import CATEGORIES, Uriel

ROOT = Path(__file__).parents[2]
MIRROR = Path(os.environ.get("XSTILTS_MIRROR", ROOT.parent / "shared" / "data"))
SIZES = ROOT.parent / "shared" / "reference" / "cc100_xlmr_corpus_sizes.csv"
CC100_ROWS = {"zh": "zh-Hans", "my": "my(1)"}
NOT_IN_TATOEBA_XTREME = {"en", "ms", "my", "yo"}  # 36 of XTREME's 40 languages have a Tatoeba test set there


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    return language_table(registry.languages()).set_index("language")


def test_forty_languages_of_xtreme() -> None:
    xtreme = {code for code, language in registry.languages().items() if language.xtreme}
    assert len(xtreme) == 40
    assert xtreme > NOT_IN_TATOEBA_XTREME


def test_codes_are_well_formed() -> None:
    for code, language in registry.languages().items():
        assert re.fullmatch(r"[a-z]{2,3}", code)
        assert re.fullmatch(r"[a-z]{3}", language.iso639_3)
        assert re.fullmatch(r"[a-z]{4}\d{4}", language.glottocode)
        assert re.fullmatch(r"[A-Z][a-z]{3}", language.script)


def test_glottocodes_are_unique() -> None:
    glottocodes = [language.glottocode for language in registry.languages().values()]
    assert len(set(glottocodes)) == len(glottocodes)


@pytest.mark.skipif(not SIZES.exists(), reason=f"no table of CC-100 sizes at {SIZES}")
def test_sizes_are_those_of_the_paper() -> None:
    with SIZES.open(encoding="utf-8") as stream:
        sizes = {row["language"]: float(row["size_GiB_corrected"]) for row in csv.DictReader(stream)}
    for code, language in registry.languages().items():
        assert language.cc100_gib == sizes.get(CC100_ROWS.get(code, code)), code


@pytest.mark.skipif(not MIRROR.exists(), reason=f"no mirror at {MIRROR} (XSTILTS_MIRROR)")
def test_every_file_of_tatoeba_has_a_language() -> None:
    codes = registry.datasets()["tatoeba"].codes
    mapped = [codes.get(code, language.iso639_3) for code, language in registry.languages().items()]
    files = {path.name.split(".")[1].removesuffix("-eng") for path in (MIRROR / "tatoeba").glob("*.eng")}
    assert len(files) == 112
    assert files <= set(mapped)
    assert all(mapped.count(code) == 1 for code in files)


@pytest.mark.skipif(not MIRROR.exists(), reason=f"no mirror at {MIRROR} (XSTILTS_MIRROR)")
@pytest.mark.parametrize("folder", ["panx", "udpos", "text"])
def test_every_language_of_the_mirror_is_registered(folder: str) -> None:
    names = {re.sub(r"^(train|dev|test)-", "", path.stem) for path in (MIRROR / folder).iterdir()}
    assert names
    assert names <= set(registry.languages())


def test_table_has_every_language_sorted(table: pd.DataFrame) -> None:
    assert list(table.index) == sorted(registry.languages())


def test_english_is_at_distance_zero_from_itself(table: pd.DataFrame) -> None:
    for category in CATEGORIES:
        assert table.loc["en", f"distance_{category}"] == 0
        assert table.loc["en", f"alternative_{category}"] == 0


def test_values_are_fractions(table: pd.DataFrame) -> None:
    for category in CATEGORIES:
        assert table[f"coverage_{category}"].between(0, 1).all()
        for kind in ("distance", "alternative"):
            assert table[f"{kind}_{category}"].dropna().between(0, 1).all()


def test_no_coverage_is_missing_and_not_near(table: pd.DataFrame) -> None:
    for category in CATEGORIES:
        uncovered = table[f"coverage_{category}"] == 0
        assert table.loc[uncovered, f"distance_{category}"].isna().all()
    assert table.loc["sk", "coverage_syntactic"] == 0
    assert table.loc["et", "coverage_phonological"] == 0
    assert np.isnan(table.loc["war", "distance_syntactic"])  # one feature, which English has not


def test_xtreme_has_syntax_throughout(table: pd.DataFrame) -> None:
    xtreme = table[table["xtreme"] == "true"]
    for category in ("syntactic", "featural", "genetic", "geographic"):
        assert xtreme[f"distance_{category}"].notna().all()


def test_counts_of_the_documentation(table: pd.DataFrame) -> None:
    """The table in docs/languages.md: XTREME and Tatoeba, each primary and alternative; all."""
    xtreme = table[(table["xtreme"] == "true") & (table.index != "en")]
    tatoeba = xtreme.drop(index=list(NOT_IN_TATOEBA_XTREME - {"en"}))
    page = (ROOT / "docs" / "languages.md").read_text(encoding="utf-8")
    for category in CATEGORIES:
        columns = [f"distance_{category}", f"alternative_{category}"]
        counts = [*xtreme[columns].count(), *tatoeba[columns].count(), table[columns[0]].count() - 1]
        assert f"| {category} | {' | '.join(map(str, counts))} |" in page


def test_known_neighbours(table: pd.DataFrame) -> None:
    def distance(code: str, category: str, kind: str = "distance") -> float:
        return float(table.loc[code, f"{kind}_{category}"])

    for kind in ("distance", "alternative"):
        assert distance("de", "syntactic", kind) < distance("fr", "syntactic", kind)
        assert distance("fr", "syntactic", kind) < distance("ja", "syntactic", kind)
        assert distance("nl", "genetic", kind) < distance("ru", "genetic", kind) < 1
        assert distance("fr", "geographic", kind) < distance("hi", "geographic", kind)


def test_unrelated_languages_are_equally_far(table: pd.DataFrame) -> None:
    """Also an isolate, and languages whose family URIEL files only under the macrolanguage."""
    others = table[(table["family"] != "Indo-European") & table["distance_genetic"].notna()]
    assert {"eu", "ko", "et", "zh"} <= set(others.index)
    assert (others["distance_genetic"] == 1).all()
    assert (table.loc[table["family"] == "Indo-European", "distance_genetic"].dropna() < 1).all()


def test_table_survives_the_disk(table: pd.DataFrame, tmp_path: Path) -> None:
    write_table(table.reset_index(), tmp_path / "languages.tsv")
    frame = read_table(tmp_path / "languages.tsv").set_index("language")
    assert frame.loc["no", "name"] == "Norwegian Bokmål"
    pd.testing.assert_series_equal(frame["distance_inventory"], table["distance_inventory"], atol=1e-6)


def contents(folder: Path) -> dict[Path, int]:
    """When each file was last written, byte code aside."""
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*.*") if "__pycache__" not in path.parts}


def test_script_is_deterministic_and_leaves_the_library_alone(table: pd.DataFrame, tmp_path: Path) -> None:
    """The same bytes in another process with another hash seed; nothing printed or written elsewhere."""
    package = Path(str(resources.files("urielplus")))
    before = contents(package)
    command = [sys.executable, "scripts/build_languages.py", "--output", str(tmp_path / "script.tsv")]
    environment = {**os.environ, "PYTHONHASHSEED": "7", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout + done.stderr == ""
    assert contents(package) == before
    write_table(table.reset_index(), tmp_path / "here.tsv")
    assert (tmp_path / "script.tsv").read_bytes() == (tmp_path / "here.tsv").read_bytes()


@pytest.mark.parametrize(("code", "iso"), [("qqx", "qqx"), ("xq", "xqx")])
def test_language_unknown_to_uriel_is_refused(code: str, iso: str) -> None:
    made_up = Language(name="X", iso639_3=iso, glottocode="xxxx1234", family="X", script="Latn")
    with pytest.raises(RegistryError, match=code):
        Uriel({"en": registry.languages()["en"], code: made_up})
