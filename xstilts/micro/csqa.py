"""English multiple choice in CommonsenseQA's place: what follows in a sequence?

A stem names a place and counts days, months or amounts, or repeats itself; one choice goes on as the stem
does, the two others are near misses of the same kind or of another.
"""

import json

from xstilts.micro.cldr import write_atom
from xstilts.micro.partition import Pool, identity, pool_of
from xstilts.micro.phrases import Phrase, Sampler, fact, write
from xstilts.micro.settings import MicroSettings
from xstilts.micro.sizes import chance

KEYS = "ABC"
CYCLES = {"weekday": (0, 7), "month": (1, 12)}
Sequence = tuple[list[str], str, list[str]]  # what is shown, what follows, what does not


def splits(_: MicroSettings) -> dict[str, tuple[str, ...]]:
    """The languages of each split."""
    return {"train": ("en",), "dev": ("en",)}


def _cycle(sampler: Sampler) -> Sequence:
    kind = sampler.rng.choice(tuple(CYCLES))
    first, length = CYCLES[kind]
    start, step = sampler.rng.randrange(length), sampler.rng.choice((-1, 1))
    atoms = [f"{kind}:{first + (start + i * step) % length}" for i in range(4)]
    others = sorted(set(sampler.names[kind]) - set(atoms))
    return atoms[:3], atoms[3], sampler.rng.sample(others, 2)


def _amounts(sampler: Sampler) -> Sequence:
    unit = sampler.atom("unit").partition(":")[2]
    start, step = sampler.rng.randint(1, 9), sampler.rng.randint(1, 5)
    shown = [f"quantity:{unit}:{start + i * step}" for i in range(3)]
    follows = f"{start + 3 * step}"
    other = sampler.atom("unit").partition(":")[2]
    wrong = sampler.rng.choice((start, start + step, start + 3 * step + 20))
    return shown, f"quantity:{unit}:{follows}", [f"quantity:{other}:{follows}", f"quantity:{unit}:{wrong}"]


def _alternation(sampler: Sampler) -> Sequence:
    kind = sampler.rng.choice(("territory", "language", "currency"))
    one, two, other = sampler.atoms(kind, 3)
    return [one, two, one], two, [one, other]


def _question(sampler: Sampler, pool: Pool) -> tuple[Phrase, str, list[str]]:
    while True:
        shown, follows, wrong = sampler.rng.choice((_cycle, _amounts, _alternation))(sampler)
        phrase = fact(sampler.atom("territory"), shown)
        different = len(set(map(identity, (follows, *wrong)))) == 3
        if different and pool_of(phrase.atoms()) == pool:
            return phrase, follows, wrong


def _row(
    sampler: Sampler, name: str, language: str, asked: tuple[Phrase, str, list[str]]
) -> dict[str, object]:
    phrase, follows, wrong = asked
    choices = [follows, *wrong]
    sampler.rng.shuffle(choices)
    return {
        "answerKey": KEYS[choices.index(follows)],
        "id": name,
        "question": {
            "choices": [
                {"label": key, "text": write_atom(atom, language)}
                for key, atom in zip(KEYS, choices, strict=True)
            ],
            "stem": write(phrase, language),
        },
    }


def build(settings: MicroSettings, split: str, language: str) -> tuple[str, ...]:
    """The file of one split: one JSON object per line."""
    sampler = Sampler(chance(settings, "csqa", split), (language,))
    pool: Pool = "train" if split == "train" else "dev"
    count = settings.train_examples if split == "train" else settings.dev_examples
    rows: dict[Phrase, dict[str, object]] = {}
    while len(rows) < count:
        asked = _question(sampler, pool)
        rows.setdefault(asked[0], _row(sampler, f"csqa-{split}-{len(rows)}", language, asked))
    return ("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows.values()),)
