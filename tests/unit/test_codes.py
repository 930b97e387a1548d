"""Codes of languages as people write them."""

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xstilts import registry
from xstilts.errors import RegistryError
from xstilts.registry.codes import resolve

CODES = sorted(registry.languages())


@given(st.lists(st.sampled_from(CODES), unique=True))
def test_codes_of_the_registry_stand_for_themselves(codes: list[str]) -> None:
    assert resolve(codes) == codes


@pytest.mark.parametrize("code", CODES)
def test_iso_code_means_the_same_language(code: str) -> None:
    assert resolve([registry.languages()[code].iso639_3]) == [code]


@pytest.mark.parametrize(
    ("alias", "code"),
    [
        ("iw", "he"), ("in", "id"), ("ji", "yi"), ("jw", "jv"), ("mo", "ro"), ("fil", "tl"), ("nb", "no"),
        ("nor", "no"), ("ara", "ar"), ("zho", "zh"), ("est", "et"), ("gre", "el"), ("ger", "de"),
    ],
)  # fmt: skip
def test_aliases(alias: str, code: str) -> None:
    assert resolve(["en", alias]) == ["en", code]


@pytest.mark.parametrize("twice", [["de", "de"], ["he", "iw"], ["fil", "tl"], ["no", "nb"], ["arb", "ara"]])
def test_same_language_twice_is_refused(twice: list[str]) -> None:
    with pytest.raises(RegistryError, match="listed twice") as raised:
        resolve(["en", *twice])
    assert all(code in str(raised.value) for code in twice)


@pytest.mark.parametrize(
    ("wrong", "meant"), [("dee", "'de' (German)"), ("german", "'de' (German)"), ("swahili", "'sw' (Swahili)")]
)
def test_unknown_code_is_refused_with_what_may_be_meant(wrong: str, meant: str) -> None:
    with pytest.raises(RegistryError) as raised:
        resolve([wrong])
    assert f"'{wrong}'" in raised.value.what
    assert meant in raised.value.hint


@pytest.mark.parametrize("wrong", ["prs", "zh-Hant", "", "x", "!", "q" * 50])
def test_other_languages_and_nonsense_are_refused(wrong: str) -> None:
    with pytest.raises(RegistryError, match="no language"):
        resolve([wrong])


def test_light() -> None:
    """The configuration is checked before anything runs: no heavy library for that."""
    code = "import sys, xstilts.registry.codes; print({'pandas', 'numpy', 'urielplus'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
