"""Tagged sentences in XTREME's layout: `word <TAB> tag`, an empty line after each sentence.

Tags follow from how a sentence is made: places and languages are PROPN; units, days and months NOUN;
`and` CCONJ. As in Universal Dependencies a numeral is NUM in an amount but X as the marker of a list
item, and a dash is SYM between the ends of a range but PUNCT elsewhere, so the word form alone does not
give the tag. Half of the names stay out of the training sentences.
"""

import re
from collections.abc import Callable, Hashable

from xstilts.micro.cldr import clean, inventory, locale_of, names, selected_languages, write_atom
from xstilts.micro.partition import Pool, identity, named_in_training, pool_of
from xstilts.micro.phrases import WIDE, Sampler
from xstilts.micro.settings import MicroSettings
from xstilts.micro.sizes import chance

Tagged = list[tuple[str, str]]
NAMES = ("territory", "language")
NOUNS = ("month", "weekday", "unit")
TEST_ONLY = ("kk", "th", "tl", "yo")
"""As in Universal Dependencies, whose treebanks of them have no development file."""


def splits(settings: MicroSettings) -> dict[str, tuple[str, ...]]:
    """The languages of each split."""
    chosen = selected_languages(settings.languages)
    dev = tuple(language for language in chosen if language not in TEST_ONLY)
    return {"train": ("en",), "dev": dev, "test": chosen}


def _conjunction(language: str, style: str) -> Tagged:
    """What stands between the two last items of a list, as words and punctuation."""
    pattern = locale_of(language).list_patterns[style]["2"]
    between = re.fullmatch(r"\{0\}(.*)\{1\}", pattern)
    tokens = re.findall(r"[,،、]|[^\s,،、]+", clean(between[1])) if between else []
    return [(token, "PUNCT" if token in ",،、" else "CCONJ") for token in tokens] or [(",", "PUNCT")]


class Sentences:
    """Draws tagged sentences of one language and notes their atoms.

    Only names of one word are used, so that each word has its tag by construction.
    """

    def __init__(self, sampler: Sampler, language: str, *, training: bool) -> None:
        self.rng, self.language = sampler.rng, language
        self.atoms: list[str] = []
        self.comma = "、" if language in WIDE else "،" if language in ("ar", "fa", "ur") else ","
        self.names = {
            kind: [a for a in atoms if self._is_word(a) and not (training and not named_in_training(a))]
            for kind, atoms in inventory((language,)).items()
        }
        self.units = [a for a in self.names["unit"] if self._split(a, "3") and self._split(a, "12")]

    def _is_word(self, atom: str) -> bool:
        return re.fullmatch(r"[^\s\d\-–/]+", names(self.language)[atom]) is not None

    def _split(self, unit: str, number: str) -> tuple[str, str] | None:
        """What stands before and after the number in an amount, if it is one word."""
        text = write_atom(f"quantity:{unit.partition(':')[2]}:{number}", self.language)
        if text.count(number) != 1:
            return None
        before, after = (part.strip() for part in text.split(number))
        word = before or after
        return (before, after) if bool(before) != bool(after) and not re.search(r"[\s\d]", word) else None

    def name(self, kinds: tuple[str, ...]) -> Tagged:
        """A name or noun of one of some kinds."""
        kind = self.rng.choice([kind for kind in kinds if self.names[kind]])
        atom = self.rng.choice(self.names[kind])
        self.atoms.append(atom)
        return [(names(self.language)[atom], "PROPN" if kind in NAMES else "NOUN")]

    def amount(self) -> Tagged:
        """An amount or a range of amounts; a bare noun where the language has no simple units."""
        if not self.units:
            return self.name(NOUNS)
        unit = self.rng.choice(self.units)
        low, high = sorted(self.rng.sample(range(2, 31), 2))
        number: Tagged = [(str(high), "NUM")]
        if self.rng.random() < 0.4:
            number = [(str(low), "NUM"), ("–", "SYM"), *number]
        self.atoms.append(f"quantity:{unit.partition(':')[2]}:{high}")
        before, after = self._split(unit, str(high)) or ("", names(self.language)[unit])
        noun: Tagged = [(before or after, "NOUN")]
        return noun + number if before else number + noun

    def listed(self, items: list[Tagged]) -> Tagged:
        """The items with commas, and a conjunction before the last."""
        style = self.rng.choice(("standard", "or"))
        tokens = items[0]
        for item in items[1:-1]:
            tokens = [*tokens, (self.comma, "PUNCT"), *item]
        return [*tokens, *_conjunction(self.language, style), *items[-1]]

    def numbered(self) -> Tagged:
        """A list with numbered items: `1 ) Chad , 2 ) Peru`."""
        tokens: Tagged = []
        kinds, start = self.rng.choice((NAMES, NOUNS)), self.rng.randint(1, 26)
        for i in range(self.rng.randint(2, 4)):
            comma: Tagged = [(self.comma, "PUNCT")] if i else []
            tokens += [*comma, (str(start + i), "X"), (")", "PUNCT"), *self.name(kinds)]
        return tokens

    def named(self) -> Tagged:
        """A list of names or of nouns, or a name with a remark."""
        kinds = self.rng.choice((NAMES, NOUNS))
        if self.rng.random() < 0.3:
            return [*self.name(NAMES), ("(", "PUNCT"), *self.name(kinds), (")", "PUNCT")]
        return self.listed([self.name(kinds) for _ in range(self.rng.randint(2, 3))])

    def said(self) -> Tagged:
        """Amounts or a span of time after a dash or colon."""
        mark: Tagged = [(self.rng.choice("–:"), "PUNCT")]
        if self.rng.random() < 0.3:
            kind = (self.rng.choice([kind for kind in NOUNS if self.names[kind]][:2]),)
            return [*self.name(NAMES), *mark, *self.name(kind), ("–", "SYM"), *self.name(kind)]
        return [
            *self.name(NAMES),
            *mark,
            *self.listed([self.amount() for _ in range(self.rng.randint(2, 3))]),
        ]

    def draw(self, pool: Pool) -> Tagged:
        """A sentence whose atoms belong to `pool`."""
        makers: tuple[Callable[[], Tagged], ...] = (
            self.numbered,
            self.numbered,
            self.named,
            self.said,
            self.said,
        )
        while True:
            self.atoms = []
            sentence = self.rng.choice(makers)()
            if len(set(self.atoms)) == len(self.atoms) and pool_of(self.atoms) == pool:
                return [*sentence, (".", "PUNCT")]


def build(settings: MicroSettings, split: str, language: str) -> tuple[str, ...]:
    """The file of one split and language."""
    training = split == "train"
    sampler = Sampler(chance(settings, "udpos", split, language), (language,))
    sentences = Sentences(sampler, language, training=training)
    count = settings.train_examples if training else settings.evaluation_examples
    found: dict[Hashable, Tagged] = {}
    while len(found) < count:
        tokens = sentences.draw("train" if training else "test")
        # A part of the training sentences is selected on: of those no two share their names, in any order.
        found.setdefault(frozenset(map(identity, sentences.atoms)) if training else tuple(tokens), tokens)
    return ("".join("".join(f"{word}\t{tag}\n" for word, tag in each) + "\n" for each in found.values()),)
