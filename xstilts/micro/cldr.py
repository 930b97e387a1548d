"""Atoms: what CLDR has a name for in every language, and how each is written.

An atom is a string `kind:id`. Fixed atoms have one name per language: `territory:DE`, `language:de`,
`currency:EUR`, `unit:duration-day`, `month:3`, `weekday:0`. The others are formatted on demand:
`quantity:duration-day:12`, `relative:day:-3`, `date:2026-11-20`. Numbers are written in ASCII digits.
"""

import re
import unicodedata
from collections.abc import Callable, Container, Iterable
from copy import deepcopy
from datetime import date, timedelta
from functools import cache, lru_cache

from babel import Locale, localedata
from babel.core import get_global
from babel.dates import format_date, format_timedelta
from babel.units import format_unit

from xstilts.errors import ConfigError
from xstilts.registry import languages as registered_languages

# Candidates besides XTREME's forty: what XTREME-R adds. CLDR decides (see `shortcoming`).
XTREME_R = ("az", "gu", "ht", "lt", "pa", "pl", "qu", "ro", "uk", "wo")
SECTIONS = ("currency_names", "days", "languages", "months", "territories", "unit_display_names")
CLDR_CODES = {"tl": "fil"}
FIXED_KINDS = ("currency", "language", "month", "territory", "unit", "weekday")
FEWEST = {"currency": 100, "language": 140, "month": 12, "territory": 180, "unit": 12, "weekday": 7}
# CLDR's names of what is not known: they ask for an item of their kind.
UNKNOWN = {"language": "language:und", "currency": "currency:XXX"}
UNITS = (
    *("area-hectare area-square-kilometer area-square-meter area-square-mile digital-gigabyte").split(),
    *("digital-kilobyte digital-megabyte digital-terabyte duration-century duration-day").split(),
    *("duration-decade duration-hour duration-microsecond duration-minute duration-month").split(),
    *("duration-quarter duration-second duration-week duration-year energy-calorie").split(),
    *("energy-kilowatt-hour length-centimeter length-fathom length-foot length-furlong").split(),
    *("length-inch length-kilometer length-light-year length-meter length-mile length-millimeter").split(),
    *("length-yard light-candela light-lumen mass-carat mass-gram mass-kilogram mass-milligram").split(),
    *("mass-ounce mass-pound mass-tonne power-kilowatt power-megawatt volume-barrel volume-cup").split(),
    *("volume-cubic-meter volume-gallon volume-liter volume-milliliter").split(),
)
NOT_PLACES = ("EU", "EZ", "QO", "UN", "XA", "XB", "ZZ")
SECONDS = {"hour": 3600, "day": 86400, "week": 604800, "month": 2629800, "year": 31557600}
_DIRECTION_MARKS = dict.fromkeys(map(ord, "\u061c\u200e\u200f\u2066\u2067\u2068\u2069"))
_NOT_IN_A_NAME = re.compile(r"[\d()\[\]（）/,،、:;：²³]")  # two names in one, abbreviations, numbers


@cache
def locale_of(language: str) -> Locale:
    """CLDR's locale of a project language code."""
    return Locale.parse(CLDR_CODES.get(language, language))


@cache
def data_of(language: str) -> localedata.LocaleDataDict:
    """CLDR's data of a language, apart from all others.

    Babel resolves aliases in place, in parts that locales share: the stand-alone month names of the first
    locale that is asked would become those of every locale without its own.
    """
    shared = localedata.load(str(locale_of(language)))
    return localedata.LocaleDataDict({section: deepcopy(shared[section]) for section in SECTIONS})


def clean(text: str) -> str:
    """`text` without marks of writing direction, with ordinary single spaces."""
    return " ".join(unicodedata.normalize("NFC", text).translate(_DIRECTION_MARKS).split())


def _unit_name(language: str, unit: str) -> str:
    """The name of a unit without a number, or nothing where there is but an international symbol."""
    names = data_of(language)["unit_display_names"].get(unit, {})
    symbols = localedata.load("root")["unit_display_names"].get(unit, {})
    for length in ("long", "short"):  # Babel does not resolve that `long` inherits from `short`
        name = names.get(length)
        if name and name not in symbols.values():
            return str(name)
    return ""


@cache
def _current_currencies() -> frozenset[str]:
    """The currencies that are legal tender somewhere."""
    return frozenset(
        code
        for uses in get_global("territory_currencies").values()
        for code, _, end, tender in uses
        if tender and end is None
    )


def _named(language: str) -> Iterable[tuple[str, str]]:
    data = data_of(language)
    for code, name in sorted(data["territories"].items()):
        if re.fullmatch("[A-Z]{2}", code) and code not in NOT_PLACES:
            yield f"territory:{code}", name
    for code, name in sorted(data["languages"].items()):
        if re.fullmatch("[a-z]{2}", code):
            yield f"language:{code}", name
    for code, name in sorted(data["currency_names"].items()):
        if code in _current_currencies():
            yield f"currency:{code}", name
    for unit in UNITS:
        yield f"unit:{unit}", _unit_name(language, unit)
    for kind, section in (("month", "months"), ("weekday", "days")):
        for number, name in sorted(data[section]["stand-alone"]["wide"].items()):
            yield f"{kind}:{number}", name
    yield UNKNOWN["language"], data["languages"].get("und", "")
    yield UNKNOWN["currency"], data["currency_names"].get("XXX", "")


@cache
def names(language: str) -> dict[str, str]:
    """The fixed atoms that the language has a plain name for, with their names."""
    cleaned = ((atom, clean(name)) for atom, name in _named(language))
    return {
        atom: name
        for atom, name in cleaned
        if name and (atom.startswith("month:") or atom in UNKNOWN.values() or not _NOT_IN_A_NAME.search(name))
    }


def shortcoming(language: str) -> str:
    """Why CLDR, as Babel ships it, is too thin for the language; empty if it is not."""
    try:
        locale = locale_of(language)
    except ValueError:
        return "no locale"
    parent = get_global("parent_exceptions").get(str(locale))
    if parent and not parent.startswith("root"):
        return f"its names are those of {parent}"
    kinds = [atom.partition(":")[0] for atom in names(language)]
    lacking = [
        f"{kinds.count(kind)} {kind} names" for kind in FIXED_KINDS if kinds.count(kind) < FEWEST[kind]
    ]
    return ", ".join(lacking)


def candidate_languages() -> tuple[str, ...]:
    """The languages that micro-XTREME would cover if CLDR did, English included."""
    xtreme = {code for code, language in registered_languages().items() if language.xtreme}
    return tuple(sorted(xtreme | set(XTREME_R) | {"en"}))


@cache
def covered_languages() -> tuple[str, ...]:
    """All languages of micro-XTREME, sorted, English included."""
    return tuple(language for language in candidate_languages() if not shortcoming(language))


def selected_languages(
    chosen: tuple[str, ...] | None, published: Container[str] | None = None
) -> tuple[str, ...]:
    """The chosen languages (None: all that are covered) and English, sorted.

    Args:
        chosen: As the settings name them.
        published: The languages of a data set that does not have all of them; the others are left out.

    Raises:
        ConfigError: if one is not covered.
    """
    for language in chosen or ():
        if language not in covered_languages():
            reason = (
                shortcoming(language) if language in candidate_languages() else "not in XTREME or XTREME-R"
            )
            raise ConfigError(
                f"micro-XTREME does not cover the language '{language}' ({reason})",
                where="data.micro.languages",
                hint=f"choose among {', '.join(covered_languages())}",
            )
    languages = sorted({"en", *(covered_languages() if chosen is None else chosen)})
    return tuple(code for code in languages if published is None or code in published)


@lru_cache(maxsize=200_000)
def _quantity(language: str, unit: str, number: str) -> str:
    for length in ("long", "short"):
        text = format_unit(int(number), unit, length, locale=locale_of(language), numbering_system="latn")
        if unit not in text:  # Babel writes the unit's id where the locale has no pattern of this length
            return clean(text)
    raise ConfigError(f"CLDR cannot write {number} of the unit {unit} in '{language}'")


@lru_cache(maxsize=20_000)
def _relative(language: str, unit: str, number: str) -> str:
    span = timedelta(seconds=int(number) * SECONDS[unit])
    return clean(format_timedelta(span, granularity=unit, add_direction=True, locale=locale_of(language)))  # type: ignore[arg-type]


@lru_cache(maxsize=20_000)
def _date(language: str, day: str, _: str) -> str:
    return clean(format_date(date.fromisoformat(day), "long", locale=locale_of(language)))


_FORMATTED: dict[str, Callable[[str, str, str], str]] = {
    "quantity": _quantity,
    "relative": _relative,
    "date": _date,
}


def write_atom(atom: str, language: str) -> str:
    """How the language writes an atom.

    Raises:
        KeyError: if CLDR has no name for it.
    """
    name = names(language).get(atom)
    if name is not None:
        return name
    kind, first, second = (atom + ":").split(":")[:3]
    return _FORMATTED[kind](language, first, second)


@cache
def has_relative_times(language: str) -> bool:
    """Whether the language has phrases such as `3 days ago` (otherwise CLDR writes `-3 d`)."""
    return not any(_relative(language, unit, "-3").startswith("-") for unit in SECONDS)


@cache
def inventory(languages: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    """The fixed atoms that all of `languages` can write, by kind, sorted; without the unknown ones."""
    shared = set.intersection(*(set(names(language)) for language in languages)) - set(UNKNOWN.values())
    return {
        kind: tuple(sorted(atom for atom in shared if atom.startswith(f"{kind}:"))) for kind in FIXED_KINDS
    }
