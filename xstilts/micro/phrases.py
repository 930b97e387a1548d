"""Phrases: meanings made of atoms, and how each language writes them.

A phrase is an atom, a list (`and`, `or`), an item with a remark (`of`: `German (Austria)`), an item with
what is said of it (`fact`: `Monday: Chad and Peru`) or a span (`Monday - Friday`). Lists follow CLDR's
patterns, the rest is punctuation.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import Literal

from babel.lists import format_list

from xstilts.micro.cldr import UNKNOWN, clean, has_relative_times, inventory, locale_of, write_atom
from xstilts.micro.partition import Pool, identity, pool_of

Form = Literal["atom", "and", "or", "of", "fact", "span"]
WIDE = ("ja", "zh")  # full-width punctuation, no spaces between sentences
STOPS = {"bn": "।", "hi": "।", "ja": "。", "my": "။", "pa": "।", "th": "", "ur": "۔", "zh": "。"}
QUESTION_MARKS = {"ar": "؟", "el": ";", "fa": "؟", "ja": "？", "ur": "؟", "zh": "？"}


@dataclass(frozen=True, slots=True)
class Phrase:
    """A meaning; `atom` is set if `form` is `atom`, else `parts`."""

    form: Form
    parts: tuple["Phrase", ...] = ()
    atom: str = ""

    def atoms(self) -> tuple[str, ...]:
        """All atoms, in order."""
        return (self.atom,) if self.form == "atom" else tuple(a for part in self.parts for a in part.atoms())


def of_atom(atom: str) -> Phrase:
    """The phrase that is one atom."""
    return Phrase("atom", atom=atom)


def list_of(atoms: Sequence[str], form: Form = "and") -> Phrase:
    """The list of some atoms; of a single one, that atom."""
    return of_atom(atoms[0]) if len(atoms) == 1 else Phrase(form, tuple(map(of_atom, atoms)))


def fact(subject: str, atoms: Sequence[str], form: Form = "and") -> Phrase:
    """What is said of `subject`: a list of atoms."""
    return Phrase("fact", (of_atom(subject), list_of(atoms, form)))


def write(phrase: Phrase, language: str, name: Callable[[str, str], str] = write_atom) -> str:
    """How the language writes the phrase, without a full stop; `name` writes the atoms."""
    if phrase.form == "atom":
        return name(phrase.atom, language)
    texts = [write(part, language, name) for part in phrase.parts]
    if phrase.form in ("and", "or"):
        style = "standard" if phrase.form == "and" else "or"
        return clean(format_list(texts, style, locale=locale_of(language)))  # type: ignore[arg-type]
    wide = language in WIDE
    pattern = {
        "of": "{}（{}）" if wide else "{} ({})",
        "fact": "{}：{}" if wide else "{}: {}",
        "span": "{}–{}" if wide else "{} – {}",
    }[phrase.form]
    return pattern.format(*texts)


def write_all(phrases: Sequence[Phrase], language: str) -> str:
    """Several phrases as sentences of one text."""
    stop = STOPS.get(language, ".")
    return ("" if language in WIDE else " ").join(write(phrase, language) + stop for phrase in phrases)


def ask(phrase: Phrase, language: str) -> str:
    """The phrase as a question."""
    return write(phrase, language) + QUESTION_MARKS.get(language, "?")


class Sampler:
    """Draws phrases that all of some languages can write.

    Args:
        rng: Where chance comes from.
        languages: Sorted project codes.
    """

    def __init__(self, rng: Random, languages: tuple[str, ...]) -> None:
        self.rng = rng
        self.names = inventory(languages)
        self.relative = all(map(has_relative_times, languages))

    def atoms(self, kind: str, count: int) -> list[str]:
        """Different atoms of one kind, no two of which are written alike in any language."""
        while True:
            drawn = self.rng.sample(self.names[kind], count)
            if len(set(map(identity, drawn))) == count:
                return drawn

    def atom(self, kind: str) -> str:
        """One fixed atom of a kind."""
        return self.rng.choice(self.names[kind])

    def quantity(self) -> str:
        """Some number of some unit, such as 12 kilometres."""
        return f"quantity:{self.atom('unit').partition(':')[2]}:{self.rng.randint(2, 60)}"

    def moment(self) -> str:
        """A day, or a time before or after now."""
        if self.relative and self.rng.random() < 0.6:
            unit, most = self.rng.choice((("hour", 20), ("day", 6), ("week", 3), ("month", 10), ("year", 60)))
            return f"relative:{unit}:{self.rng.choice((-1, 1)) * self.rng.randint(2, most)}"
        day, month = self.rng.randint(1, 28), self.rng.randint(1, 12)
        return f"date:{self.rng.randint(1900, 2060)}-{month:02d}-{day:02d}"

    def kind(self) -> str:
        """A kind of fixed atoms: places most often."""
        return self.rng.choices(
            ("territory", "language", "currency", "unit", "weekday", "month"), (8, 5, 5, 4, 2, 2)
        )[0]

    def subject(self) -> str:
        """Something that things are said of: a place, a language, a day or a month."""
        return self.atom(self.rng.choice(("territory", "territory", "language", "weekday", "month")))

    def phrase(self, families: Sequence[str], pool: Pool) -> Phrase:
        """A phrase of one of `families`, equally often, that belongs to `pool`."""
        while True:
            phrase = FAMILIES[self.rng.choice(families)](self)
            atoms = phrase.atoms()
            if pool_of(atoms) == pool and len(set(map(identity, atoms))) == len(atoms):
                return phrase


def _joined(sampler: Sampler) -> Form:
    return "and" if sampler.rng.random() < 0.75 else "or"


def _single(sampler: Sampler) -> Phrase:
    return of_atom(sampler.rng.choice((*sampler.names[sampler.kind()], *UNKNOWN.values())))


def _names(sampler: Sampler) -> Phrase:
    return list_of(sampler.atoms(sampler.kind(), sampler.rng.randint(2, 4)), _joined(sampler))


def _mixed(sampler: Sampler) -> Phrase:
    kinds = [sampler.kind() for _ in range(sampler.rng.randint(2, 4))]
    return list_of([sampler.atom(kind) for kind in kinds], _joined(sampler))


def _remark(sampler: Sampler) -> Phrase:
    item = Phrase("of", (of_atom(sampler.atom("language")), of_atom(sampler.atom("territory"))))
    return Phrase(_joined(sampler), (item, of_atom(sampler.atom(sampler.kind()))))


def _statement(sampler: Sampler) -> Phrase:
    return fact(sampler.subject(), sampler.atoms(sampler.kind(), sampler.rng.randint(1, 3)))


def _question(sampler: Sampler) -> Phrase:
    asked = sampler.rng.choice((*UNKNOWN.values(), sampler.atom("unit")))
    return fact(sampler.atom("territory"), [asked])


def _span(sampler: Sampler) -> Phrase:
    ends = sampler.atoms(sampler.rng.choice(("weekday", "month", "territory")), 2)
    return Phrase("fact", (of_atom(sampler.atom("territory")), Phrase("span", tuple(map(of_atom, ends)))))


def _quantities(sampler: Sampler) -> Phrase:
    quantities = [sampler.quantity() for _ in range(sampler.rng.randint(1, 3))]
    return fact(sampler.atom("territory"), quantities) if sampler.rng.random() < 0.5 else list_of(quantities)


def _moment(sampler: Sampler) -> Phrase:
    return fact(sampler.moment(), sampler.atoms("territory", sampler.rng.randint(1, 3)))


FAMILIES: dict[str, Callable[[Sampler], Phrase]] = {
    "single": _single,
    "names": _names,
    "mixed": _mixed,
    "remark": _remark,
    "statement": _statement,
    "question": _question,
    "span": _span,
    "quantities": _quantities,
    "moment": _moment,
}


def distinct(phrases: Iterator[tuple[str, ...]], count: int, *, patience: int = 50) -> list[tuple[str, ...]]:
    """The first `count` different renderings; fewer if nothing new comes up in `patience` draws."""
    found: dict[tuple[str, ...], None] = {}
    idle = 0
    while len(found) < count and idle < patience:
        before = len(found)
        found.setdefault(next(phrases))
        idle = 0 if len(found) > before else idle + 1
    return list(found)
