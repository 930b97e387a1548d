"""Typological vectors and distances of URIEL and URIEL+, from the library `urielplus`.

Three definitions of a language's vectors (Littell et al. 2017, lang2vec; Khan et al. 2025, URIEL+):

- `uriel`: the sources of URIEL as urielplus 1.3.2 ships them (WALS, SSWL, Ethnologue, PHOIBLE ...); a feature
  is present if any source says so (union).
- `uriel_average`: the same sources; a feature is the mean over the sources that know it.
- `urielplus`: with updated SAPHON, BDPROTO, Grambank, APiCS and eWAVE added by the library, which also merges
  equivalent features and rebuilds genealogy and geography from Glottolog; union.

Nothing is imputed. The distance is the library's `new_distance`: the angle between two vectors over the
features that are known in both languages, divided by 90 degrees, and rounded to four digits.

Used as it comes, the library copies files into its own package folder, reads arrays with pickle allowed
and sets up the root logger. Here it is given its arrays, without pickle, and a scratch folder.
"""

from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from shutil import copytree
from tempfile import TemporaryDirectory
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt
import pandas as pd
from urielplus.urielplus_databases import URIELPlusDatabases
from urielplus.urielplus_querying import URIELPlusQuerying

from xstilts.errors import RegistryError
from xstilts.registry import Language
from xstilts.registry.codes import alpha3

Category = Literal["syntactic", "phonological", "inventory", "featural", "genetic", "geographic"]
Definition = Literal["uriel", "uriel_average", "urielplus"]
Array = npt.NDArray[Any]

CATEGORIES: tuple[Category, ...] = get_args(Category)
PREFIXES = {"syntactic": "S_", "phonological": "P_", "inventory": "INV_"}
FILES = ("family_features.npz", "features.npz", "geocoord_features.npz", "script_features.npz")
ADDED = {  # what `urielplus` adds, each with its table and the column of the Glottocode
    "UPDATED_SAPHON": ("saphon_data.csv", "glottocode"),
    "BDPROTO": ("bdproto_data.csv", "language_id"),
    "GRAMBANK": ("grambank_data.csv", "language_id"),
    "APICS": ("apics_data.csv", "language_id"),
    "EWAVE": ("english_dialect_data.csv", "language_id"),
}
MISSING = -1


class Uriel(URIELPlusDatabases, URIELPlusQuerying):  # type: ignore[misc]  # no types
    """URIEL(+) vectors of the languages of a registry, and the distances between them.

    Args:
        languages: The languages, by code.
        definition: Which vectors (see the module).

    Raises:
        RegistryError: if URIEL knows none of the codes of a language.
    """

    def __init__(self, languages: Mapping[str, Language], definition: Definition = "uriel") -> None:
        database = Path(str(resources.files("urielplus"))) / "database"
        self.languages = dict(languages)
        matrices = [_read(database / "original_uriel" / file, self.languages) for file in FILES]
        feats, data, sources = zip(*matrices, strict=True)
        glottocodes = np.array([language.glottocode for language in languages.values()])
        super().__init__(list(feats), [glottocodes] * len(FILES), list(data), list(sources), codes="Glotto")
        if definition == "uriel_average":
            self.set_aggregation("A")
        if definition == "urielplus":
            self._add_databases(database)
        self._settle_families()
        self._matrix = {
            category: self.map_new_distance_to_loaded_features(category) for category in CATEGORIES
        }

    def distance(self, category: Category, first: str, second: str) -> float:
        """Distance, 0 (same direction) to 1 (nothing in common).

        NaN where there is no angle: if no feature is known in both languages, or one of them has none of
        those that are (Waray: one syntactic feature is known, and by the library it is at 0.0 from English).
        """
        one, other = self._values(category, first), self._values(category, second)
        shared = _known(one) & _known(other)
        if not ((one[shared] > 0).any() and (other[shared] > 0).any()):
            return float("nan")
        pair = [self.languages[code].glottocode for code in (first, second)]
        return float(self.new_distance(category, *pair))

    def coverage(self, category: Category, first: str, second: str) -> float:
        """Fraction of the category's features that are known in both languages (0 to 1)."""
        shared = _known(self._values(category, first)) & _known(self._values(category, second))
        return float(shared.mean())

    def _values(self, category: Category, code: str) -> Array:
        """The category's values in one language (features x sources)."""
        matrix = self._matrix[category]
        row = list(self.languages).index(code)
        columns = np.char.startswith(self.feats[matrix], PREFIXES.get(category, ""))
        values: Array = self.data[matrix][row, columns]
        return values

    def _add_databases(self, database: Path) -> None:
        """Let the library add its databases, from copies of its tables cut down to our languages."""
        glottocodes = {language.glottocode for language in self.languages.values()}
        with TemporaryDirectory() as scratch:
            tables = copytree(database, Path(scratch) / "database") / "urielplus_csvs"
            for table, column in ADDED.values():
                frame = pd.read_csv(tables / table)
                frame[frame[column].isin(glottocodes)].to_csv(tables / table, index=False)
            self.cur_dir = scratch
            self.integrate_custom_databases(*ADDED)
        self.cur_dir = str(database.parent)

    def _settle_families(self) -> None:
        """Leave out the families of other languages, and give an isolate a family of its own.

        An isolate has no node, and the library would replace its vector by one of equal weights, which makes
        it a little closer to everything (Basque and English: 0.97) than an unrelated language is (1.0).
        """
        data, members = self.data[0][:, :, 0], list(self.languages.values())
        used, alone = (data == 1).any(axis=0), ~(data == 1).any(axis=1)
        isolates = [row for row, member in enumerate(members) if alone[row] and member.family == member.name]
        own = np.zeros((len(data), len(isolates)))
        own[isolates, np.arange(len(isolates))] = 1
        nodes = np.hstack([np.where(data[:, used] == 1, 1, 0), own])
        nodes[~nodes.any(axis=1)] = MISSING
        self.feats[0] = np.append(self.feats[0][used], [f"F_{members[row].family}" for row in isolates])
        self.data[0] = nodes[:, :, None]

    def _sync_loaded_features(self, *_: int) -> None:
        """Nothing: there is no second copy of the arrays here."""

    def _refresh_indexes(self, *_: int) -> None:
        """Nothing: querying looks languages up in the arrays."""


def _known(values: Array) -> npt.NDArray[np.bool_]:
    """Which features at least one source knows."""
    known: npt.NDArray[np.bool_] = (values != MISSING).any(axis=-1)
    return known


def _read(path: Path, languages: Mapping[str, Language]) -> tuple[Array, Array, Array]:
    """Features (f), values (languages x f x sources) and sources of one file of URIEL."""
    with np.load(path, allow_pickle=False) as archive:
        data, rows = archive["data"], {str(code): row for row, code in enumerate(archive["langs"])}
        if path.name == "family_features.npz":
            data[~(data == 1).any(axis=(1, 2))] = MISSING  # no node: not known, rather than unrelated to all
        values = np.stack([_row(data, rows, code, language) for code, language in languages.items()])
        # Double precision: in single precision English would be 0.0002 from itself.
        return archive["feats"], values.astype(float), archive["sources"]


def _row(data: Array, rows: Mapping[str, int], code: str, language: Language) -> Array:
    """The language's values; what is missing comes from the row of the macrolanguage that `code` names.

    URIEL files some languages under the one code, some under the other, some in parts under both: Standard
    Arabic has 66 syntactic features as `arb` and 98 as `ara`.
    """
    found = [data[rows[iso]] for iso in (language.iso639_3, alpha3(code)) if iso in rows]
    if not found:
        raise RegistryError(
            f"URIEL has no language '{language.iso639_3}'",
            where=f"languages.yaml, {code}",
            hint="give the ISO 639-3 code of an individual language",
        )
    own, other = found[0], found[-1]
    row: Array = np.where(own == MISSING, other, own)
    return row
