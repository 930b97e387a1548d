"""Language codes as people write them: resolved to the registry's, refused if unknown or given twice."""

from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from functools import cache

import langcodes
from langcodes.tag_parser import LanguageTagError

from xstilts import registry
from xstilts.errors import RegistryError


def resolve(codes: Sequence[str]) -> list[str]:
    """The registry's codes for `codes`, in the same order.

    Besides the registry's own code, the ISO 639 codes of the same language are understood, also retired
    ones: `iw` is `he`, `fil` is `tl`, `arb` and `ara` are `ar`.

    Raises:
        RegistryError: if a code is unknown, or two codes mean the same language.
    """
    resolved: dict[str, str] = {}
    for code in codes:
        key = _key(code)
        if key in resolved:
            raise RegistryError(
                f"the language '{key}' is listed twice, as '{resolved[key]}' and as '{code}'",
                where="languages",
                hint="keep one of the two",
            )
        resolved[key] = code
    return list(resolved)


def alpha3(code: str) -> str:
    """The ISO 639-3 code of a registry code; for `ar`, `et`, `zh` ... that of the macrolanguage.

    Without normalisation, for which `tl` (Tagalog) would be `fil` (Filipino).

    Raises:
        RegistryError: if it is two letters that ISO 639 does not assign.
    """
    try:
        return langcodes.Language.get(code, normalize=False).to_alpha3()
    except LookupError as error:
        hint = "use the ISO 639-1 code, or the ISO 639-3 code where there is none"
        raise RegistryError(f"'{code}' is no language code", where="languages.yaml", hint=hint) from error


def _key(code: str) -> str:
    if code in registry.languages():
        return code
    for form in _forms(code):
        if form in _aliases():
            return _aliases()[form]
    raise RegistryError(f"no language '{code}' in the registry", where="languages", hint=_suggestion(code))


def _forms(code: str) -> Iterator[str]:
    """The code itself, and what BCP 47 replaces it by."""
    yield code
    try:
        yield langcodes.standardize_tag(code)
    except LanguageTagError:
        return


@cache
def _aliases() -> dict[str, str]:
    """Every other code of each language; the registry's own codes win over aliases."""
    aliases: dict[str, str] = {}
    for key, language in registry.languages().items():
        for code in (key, alpha3(key), language.iso639_3):
            aliases |= dict.fromkeys(_forms(code), key)
    return aliases | {key: key for key in registry.languages()}


def _suggestion(code: str) -> str:
    names = {language.name.lower(): key for key, language in registry.languages().items()}
    near = get_close_matches(code.lower(), [*registry.languages(), *_aliases(), *names], n=3, cutoff=0.5)
    keys = dict.fromkeys(names.get(match, _aliases().get(match, match)) for match in near)
    meant = [f"'{key}' ({registry.languages()[key].name})" for key in keys]
    add = "add an entry to xstilts/registry/languages.yaml"
    return f"did you mean {', '.join(meant)}? Otherwise {add}" if meant else add
