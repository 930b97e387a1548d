"""Distances computed again from the files of URIEL, without the library and without xstilts.uriel."""

from importlib import resources
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from xstilts import registry
from xstilts.uriel import Uriel

DATABASE = Path(str(resources.files("urielplus"))) / "database"
PREFIXES = {"syntactic": "S_", "phonological": "P_", "inventory": "INV_", "featural": ""}
# Languages that URIEL files under one code only, or fully under their own.
OWN_ROW = ["en", "de", "fr", "fi", "he", "hi", "ja", "ko", "nl", "ru", "sv", "ta", "th", "tr", "vi", "yo"]


def raw(file: str) -> dict[str, np.ndarray]:
    with np.load(DATABASE / "original_uriel" / file, allow_pickle=False) as archive:
        return {name: archive[name] for name in archive.files}


def vector(matrix: dict[str, np.ndarray], iso: str, prefix: str, average: bool) -> np.ndarray:
    row = matrix["data"][matrix["langs"] == iso][0].astype(float)
    columns = [index for index, name in enumerate(matrix["feats"]) if str(name).startswith(prefix)]
    values = []
    for feature in row[columns]:
        known = [value for value in feature if value != -1]
        values.append(np.nan if not known else np.mean(known) if average else max(known))
    return np.array(values)


def angle(one: np.ndarray, other: np.ndarray) -> float:
    """Angle over the features known in both, in right angles."""
    shared = ~np.isnan(one) & ~np.isnan(other)
    u, v = one[shared], other[shared]
    if not u.any() or not v.any():
        return float("nan")
    # By the chord: exact also for small angles, where the arc cosine is not.
    chord = np.linalg.norm(u / np.linalg.norm(u) - v / np.linalg.norm(v))
    return float(2 * np.arcsin(chord / 2) / (np.pi / 2))


@pytest.fixture(scope="module", params=["uriel", "uriel_average"])
def built(request: pytest.FixtureRequest) -> tuple[Uriel, bool]:
    return Uriel(registry.languages(), request.param), request.param == "uriel_average"


@pytest.mark.parametrize("category", sorted(PREFIXES))
def test_typological_distances(built: tuple[Uriel, bool], category: str) -> None:
    uriel, average = built
    matrix = raw("features.npz")
    english = vector(matrix, "eng", PREFIXES[category], average)
    for code in OWN_ROW:
        other = vector(matrix, registry.languages()[code].iso639_3, PREFIXES[category], average)
        expected = angle(english, other)
        found = uriel.distance(category, "en", code)  # type: ignore[arg-type]
        assert found == pytest.approx(expected, abs=6e-5, nan_ok=True), code
        shared = np.mean(~np.isnan(english) & ~np.isnan(other))
        assert uriel.coverage(category, "en", code) == pytest.approx(shared)  # type: ignore[arg-type]


def test_genetic_and_geographic_distances(built: tuple[Uriel, bool]) -> None:
    uriel, _ = built
    for category, file in (("genetic", "family_features.npz"), ("geographic", "geocoord_features.npz")):
        matrix = raw(file)
        english = vector(matrix, "eng", "", False)
        for code in OWN_ROW:
            expected = angle(english, vector(matrix, registry.languages()[code].iso639_3, "", False))
            found = uriel.distance(category, "en", code)  # type: ignore[arg-type]
            assert found == pytest.approx(expected, abs=6e-5), (category, code)


def test_rows_of_macrolanguages_fill_gaps() -> None:
    """Standard Arabic has no phonology of its own in URIEL; Arabic has. Its own syntax wins over Arabic's."""
    uriel, matrix = Uriel(registry.languages()), raw("features.npz")
    english, own, macro = (vector(matrix, iso, "P_", False) for iso in ("eng", "arb", "ara"))
    assert np.isnan(own).all()
    assert uriel.distance("phonological", "en", "ar") == pytest.approx(angle(english, macro), abs=6e-5)


def test_glottocodes_and_families_are_those_of_glottolog() -> None:
    codes = pd.read_csv(DATABASE / "urielplus_csvs" / "uriel_glottocode_map.csv", keep_default_na=False)
    glottocodes = dict(zip(codes["iso_code"], codes["glottocode"], strict=True)) | {"lvs": "latv1249"}
    glottolog = pd.read_csv(DATABASE / "urielplus_csvs" / "lang_fam_geo.csv").set_index("language_id")
    for code, language in registry.languages().items():
        assert language.glottocode == glottocodes[language.iso639_3], code
        entry = glottolog.loc[language.glottocode]
        isolate = pd.isna(entry["lineage"])
        family = entry["language_name"] if isolate else entry["lineage"].split(",")[0]
        assert language.family == family, code


def test_grambank_reaches_the_alternative_distance() -> None:
    """Of Danish, Grambank knows much that URIEL does not; the features shared with English must grow."""
    languages = {code: registry.languages()[code] for code in ("da", "en", "eu")}
    uriel, plus = Uriel(languages), Uriel(languages, "urielplus")
    counts = [sum(((u.data[1][row] != -1).any(axis=1)).sum() for row in (0, 1)) for u in (uriel, plus)]
    assert counts[1] > counts[0] + 100
    assert "GRAMBANK" in plus.sources[1]
    grambank = pd.read_csv(DATABASE / "urielplus_csvs" / "grambank_data.csv").set_index("language_id")
    feature = "S_DEFINITE_ARTICLE"
    column, source = list(plus.feats[1]).index(feature), list(plus.sources[1]).index("GRAMBANK")
    assert plus.data[1][0, column, source] == grambank.loc["dani1285", feature]
