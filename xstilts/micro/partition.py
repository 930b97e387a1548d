"""Which phrases are for pre-training, for training, for selection and for evaluation.

A phrase belongs to a pool by a hash of the set of its atoms, so that data sets generated independently
of one another share no phrase, in no order or wording. Atoms that any language writes alike
(`Nauru` is a country and a language) count as the same one.
"""

import hashlib
import unicodedata
from collections.abc import Iterable
from functools import cache, lru_cache
from typing import Literal

from xstilts.micro.cldr import covered_languages, names

Pool = Literal["text", "pairs", "train", "dev", "test"]
SHARES: tuple[tuple[Pool, int], ...] = (("text", 40), ("pairs", 30), ("train", 10), ("dev", 8), ("test", 12))


def normalise(text: str) -> str:
    """`text` after NFKC and case-folding, without punctuation, symbols and superfluous spaces."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    return " ".join("".join(c for c in folded if unicodedata.category(c)[0] not in "PSC" or c == " ").split())


@cache
def _representatives() -> dict[str, str]:
    """For each fixed atom the smallest of those that are written alike in some language, transitively."""
    parent: dict[str, str] = {}

    def root(atom: str) -> str:
        while parent.setdefault(atom, atom) != atom:
            atom = parent[atom]
        return atom

    for language in covered_languages():
        first: dict[str, str] = {}
        for atom, name in sorted(names(language).items()):
            low, high = sorted((root(atom), root(first.setdefault(normalise(name), atom))))
            parent[high] = low
    return {atom: root(atom) for atom in parent}


@cache
def _compounds() -> dict[frozenset[str], str]:
    """Pairs of atoms that some language, side by side, writes like a third (`Gibraltar`, `pound`)."""
    found: dict[frozenset[str], str] = {}
    for language in covered_languages():
        atoms = {normalise(name): atom for atom, name in sorted(names(language).items())}
        for name, atom in atoms.items():
            halves = ((name[:i].strip(), name[i:].strip()) for i in range(1, len(name)))
            for left, right in halves:
                if left in atoms and right in atoms:
                    found[frozenset((identity(atoms[left]), identity(atoms[right])))] = identity(atom)
    return found


@cache
def _compound_parts() -> frozenset[str]:
    return frozenset().union(*_compounds())


@lru_cache(maxsize=500_000)
def identity(atom: str) -> str:
    """What stands for an atom when phrases are compared."""
    kind, _, rest = atom.partition(":")
    if kind == "quantity":
        unit, _, number = rest.partition(":")
        return f"{identity(f'unit:{unit}')}:{number}"
    return _representatives().get(atom, atom)


def named_in_training(atom: str) -> bool:
    """Whether tagged training sentences may name the atom: half of all may be, so that there are new ones."""
    return hashlib.sha256(identity(atom).encode()).digest()[0] % 2 == 0


def pool_of(atoms: Iterable[str]) -> Pool:
    """The pool of the phrases made of `atoms`."""
    identities = set(map(identity, atoms))
    if not _compound_parts().isdisjoint(identities):
        for parts, whole in _compounds().items():
            if parts <= identities:
                identities = identities - parts | {whole}
    key = "|".join(sorted(identities))
    rest = int.from_bytes(hashlib.sha256(key.encode()).digest()[:8]) % 100
    for pool, share in SHARES:
        rest -= share
        if rest < 0:
            return pool
    raise AssertionError("the shares add up to 100")
