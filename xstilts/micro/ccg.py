"""Supertagged English sentences in CCGbank's place, as derivations that are flat but for their leaves.

The words are those of the tagged sentences; a supertag follows from the word's tag and the next one's.
"""

from xstilts.micro.phrases import Sampler
from xstilts.micro.settings import MicroSettings
from xstilts.micro.sizes import chance, english
from xstilts.micro.udpos import Sentences, Tagged

BRACKETS = {"(": "-LRB-", ")": "-RRB-"}
CATEGORIES = {"CCONJ": "conj", "SYM": "(NP\\NP)/NP", "X": "LST"}
SECTIONS = {"train": ("02", "10", "20"), "dev": ("00",), "test": ("23",)}


def splits(_: MicroSettings) -> dict[str, tuple[str, ...]]:
    """The languages of each split."""
    return dict.fromkeys(SECTIONS, ("en",))


def _category(tokens: Tagged, index: int) -> str:
    word, tag = tokens[index]
    following = tokens[index + 1][1] if index + 1 < len(tokens) else ""
    if tag == "PUNCT":
        return BRACKETS.get(word, word)
    if tag == "NUM":
        return "N/N" if following == "NOUN" else "N"
    return CATEGORIES.get(tag) or ("N" if tag == "NOUN" else "NP")


def _derivation(tokens: Tagged) -> str:
    leaves = []
    for index, (token, tag) in enumerate(tokens):
        category, word = _category(tokens, index), BRACKETS.get(token, token)
        leaves.append(f"(<L {category} {tag} {tag} {word} {category}>)")
    return f"(<T NP 0 {len(leaves)}> {' '.join(leaves)} )"


def build(settings: MicroSettings, split: str, language: str) -> tuple[str, ...]:
    """The files of one split, section by section; together they have as many sentences as other tasks."""
    sampler = Sampler(chance(settings, "ccg", split), (language,))
    pool, count = english(settings, split)
    found: dict[tuple[tuple[str, str], ...], None] = {}
    sentences = Sentences(sampler, language, training=split == "train")
    while len(found) < count:
        found.setdefault(tuple(sentences.draw(pool)))
    files: dict[str, str] = dict.fromkeys(SECTIONS[split], "")
    for i, tokens in enumerate(found):
        section = SECTIONS[split][i % len(files)]
        name = f"ID=wsj_{section}00.{i + 1} PARSER=GOLD NUMPARSE=1"
        files[section] += f"{name}\n{_derivation(list(tokens))}\n"
    return tuple(files.values())
