"""Named entities in WikiANN's place, in XTREME's layout: `word <TAB> tag`, an empty line after a sentence.

CLDR names places (LOC) and two organisations (ORG), but nobody: there is no PER. Languages, days, months
and units stand where names do and are no entities, so that it does not do to know where names stand. As
in WikiANN a place in brackets belongs to the name of the place before it (`Peru (Chad)`, but not
`Thai (Chad)`), so that the word form alone does not give the tag; a word is what stands between spaces, in
Japanese and Chinese a character. Half of the places stay out of the training sentences.
"""

import re
from collections.abc import Hashable, Iterator

from xstilts.micro.cldr import clean, data_of, selected_languages, write_atom
from xstilts.micro.partition import Pool, identity, named_in_training, pool_of
from xstilts.micro.phrases import WIDE, Form, Phrase, Sampler, of_atom, write
from xstilts.micro.settings import MicroSettings
from xstilts.micro.sizes import chance

ORGANISATIONS = ("organisation:EU", "organisation:UN")
OTHERS = ("language", "language", "weekday", "month", "unit")
# Marks around an item while a sentence is put together: characters that no text has. They part it from
# a conjunction that is written in one word with it, as in Arabic.
BEGINS, ENDS = "\ue000", "\ue001"
TYPES = {"\ue002": "LOC", "\ue003": "ORG", BEGINS: ""}
MARKS = {"territory": "\ue002", "organisation": "\ue003"}
PUNCTUATION = r"[,،、:：()（）–]"
TOKEN = re.compile(rf"[\ue000-\ue003]|{PUNCTUATION}|(?:(?!{PUNCTUATION})[^\s\ue000-\ue003])+")
CHARACTERS = re.compile(r"[A-Za-z]+|\S")


def splits(settings: MicroSettings) -> dict[str, tuple[str, ...]]:
    """The languages of each split."""
    chosen = selected_languages(settings.languages)
    return {"train": ("en",), "dev": chosen, "test": chosen}


class Sentences:
    """Draws phrases of one language in which some names are entities."""

    def __init__(self, sampler: Sampler, *, training: bool) -> None:
        self.rng = sampler.rng
        # a name that some language shares between kinds (Nauru) would have two tags
        self.names = {
            kind: [atom for atom in atoms if identity(atom).startswith(f"{kind}:")]
            for kind, atoms in sampler.names.items()
        }
        self.names["organisation"] = list(ORGANISATIONS)
        if training:
            self.names["territory"] = [atom for atom in self.names["territory"] if named_in_training(atom)]

    def entity(self) -> Phrase:
        """A place or, one time in five, an organisation."""
        return self._one_of("organisation" if self.rng.random() < 0.2 else "territory")

    def item(self) -> Phrase:
        """An entity as often as not; with a place in brackets two times in five."""
        item = self.entity() if self.rng.random() < 0.5 else self._one_of(self.rng.choice(OTHERS))
        return Phrase("of", (item, self._one_of("territory"))) if self.rng.random() < 0.4 else item

    def _one_of(self, kind: str) -> Phrase:
        return of_atom(self.rng.choice(self.names[kind]))

    def listed(self) -> Phrase:
        """`Peru (Chad), Thai and European Union`."""
        form: Form = "and" if self.rng.random() < 0.7 else "or"
        return Phrase(form, tuple(self.item() for _ in range(self.rng.randint(2, 3))))

    def statement(self) -> Phrase:
        """`Peru: Thai (Chad)`."""
        return Phrase("fact", (self.item(), self.item()))

    def span(self) -> Phrase:
        """`Monday: Peru – Chad`."""
        return Phrase("fact", (self.item(), Phrase("span", (self.entity(), self.entity()))))

    def draw(self, pool: Pool) -> Phrase:
        """A phrase of `pool` with an entity."""
        makers = (self.item, self.listed, self.statement, self.span)
        while True:
            phrase = self.rng.choice(makers)()
            atoms = phrase.atoms()
            different = len(set(map(identity, atoms))) == len(atoms)
            if different and pool_of(atoms) == pool and any(map(_is_entity, atoms)):
                return phrase


def _is_entity(atom: str) -> bool:
    return atom.partition(":")[0] in MARKS


def name_of(atom: str, language: str) -> str:
    """How the language writes an atom, between marks."""
    kind, _, code = atom.partition(":")
    is_organisation = kind == "organisation"
    text = clean(data_of(language)["territories"][code]) if is_organisation else write_atom(atom, language)
    return f"{MARKS.get(kind, BEGINS)}{text}{ENDS}"


def _words(text: str, language: str) -> Iterator[str]:
    for token in TOKEN.findall(text):
        yield from CHARACTERS.findall(token) if language in WIDE else (token,)


def tagged(phrase: Phrase, language: str) -> list[tuple[str, str]]:
    """The words of a phrase, each with its tag."""
    words: list[str] = []
    tags: list[str] = []
    prefix, kind = "", ""
    for word in _words(write(phrase, language, name_of), language):
        if word in TYPES:
            prefix, kind = "B-", TYPES[word]
        elif word == ENDS:
            kind = ""
        else:
            words.append(word)
            tags.append(f"{prefix}{kind}" if kind else "O")
            prefix = "I-"
    for i in range(1, len(words) - 2):
        if words[i] in "(（" and tags[i - 1].endswith("-LOC") and tags[i + 1] == "B-LOC":
            end = next(j for j in range(i, len(words)) if words[j] in ")）") + 1
            tags[i:end] = ["I-LOC"] * (end - i)
    return list(zip(words, tags, strict=True))


def build(settings: MicroSettings, split: str, language: str) -> tuple[str, ...]:
    """The file of one split and language."""
    training = split == "train"
    sampler = Sampler(chance(settings, "panx", split, language), (language,))
    sentences = Sentences(sampler, training=training)
    count = settings.train_examples if training else settings.evaluation_examples
    found: dict[Hashable, list[tuple[str, str]]] = {}
    while len(found) < count:
        phrase = sentences.draw("train" if training else "test")
        tokens = tagged(phrase, language)
        # A part of the training sentences is selected on: of those no two share their names, in any order.
        found.setdefault(frozenset(map(identity, phrase.atoms())) if training else tuple(tokens), tokens)
    return ("".join("".join(f"{word}\t{tag}\n" for word, tag in each) + "\n" for each in found.values()),)
