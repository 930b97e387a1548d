"""The table of languages: facts of the registry, and typological distances to English.

The primary distances are those of URIEL, the alternative ones those of URIEL+ (see xstilts.uriel and
docs/languages.md). Distances that URIEL's authors published are not reproduced exactly by any library:
the inventory matches, the syntactic one differs by 0.07 in the median.
"""

from collections.abc import Mapping

import pandas as pd

from xstilts.registry import Language
from xstilts.uriel import CATEGORIES, Definition, Uriel

REFERENCE = "en"


def language_table(
    languages: Mapping[str, Language],
    primary: Definition = "uriel",
    alternative: Definition = "urielplus",
) -> pd.DataFrame:
    """One row per language, sorted by code.

    Columns: language, name, iso639_3, glottocode, family, script, cc100_gib (GiB; missing: unseen), xtreme
    (`true`/`false`); then for each category d its distance_<d> to English (0 to 1; missing if no feature
    is known in both languages), coverage_<d> (fraction of the category's features that are known in both) and
    alternative_<d>, the distance by the alternative definition.

    Raises:
        RegistryError: if English is not among the languages, or URIEL does not know one of them.
    """
    ordered = dict(sorted(languages.items()))
    first, second = Uriel(ordered, primary), Uriel(ordered, alternative)
    return pd.DataFrame(
        {"language": code} | _facts(language) | _distances(first, code) | _alternatives(second, code)
        for code, language in ordered.items()
    )


def _facts(language: Language) -> dict[str, object]:
    return language.model_dump() | {"xtreme": str(language.xtreme).lower()}


def _distances(uriel: Uriel, code: str) -> dict[str, float]:
    columns = {}
    for category in CATEGORIES:
        columns[f"distance_{category}"] = uriel.distance(category, REFERENCE, code)
        columns[f"coverage_{category}"] = uriel.coverage(category, REFERENCE, code)
    return columns


def _alternatives(uriel: Uriel, code: str) -> dict[str, float]:
    return {f"alternative_{category}": uriel.distance(category, REFERENCE, code) for category in CATEGORIES}
