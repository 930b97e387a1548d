"""Sentences of English text, for data sets that give none (SQuAD).

A sentence ends after a full stop, question or exclamation mark and what closes with it (quotes, brackets,
notes such as `[3]`), where white space and then a capital letter or a digit follow, perhaps after what opens
with them. It does not end after an initial (`J.`) or an abbreviation (`Dr.`), unless a word follows that
begins many sentences (`The`) and few names.
"""

import re
from bisect import bisect_right
from collections.abc import Sequence

Spans = list[tuple[int, int]]

_END = re.compile(r"""[.!?]["'”’)\]]*(?:\[[^\[\]]{1,20}\])*(?P<space>\s+)(?=["'“‘(\[]*[^\W_a-z])""")
_SHORTENED = re.compile(
    r"""(?:^|[\s("'“‘\[.])
    (?:[A-Z]|Mrs?|Ms|Dr|Drs|Prof|Rev|Fr|Msgr|St|Sta|Lt|Gen|Col|Maj|Adm|Capt|Sgt|Rep|Gov|Sen|Pres
    |Jan|Feb|Aug|Sept?|Oct|Nov|Dec|Mt|Ft|No|no|Vol|vol|Op|op|Art|art|ch|pp?|cf|vs?|ca?|fl|approx|e\.g|i\.e|al|Bros|Rs)\.$""",
    re.VERBOSE,
)
_STARTS = re.compile(
    r"(?:The|This|That|These|It|He|She|They|In|On|By|During|After|Although|However|Meanwhile|As|At|For) "
)


def sentence_spans(text: str) -> Spans:
    """First and last (exclusive) character of each sentence, without the white space between them.

    Every other character is in one of them; a text of white space has none.
    """
    starts = [len(text) - len(text.lstrip())]
    starts += [match.end() for match in _END.finditer(text) if _is_end(text, match)]
    ends = [*starts[1:], len(text)]
    spans = [(start, start + len(text[start:end].rstrip())) for start, end in zip(starts, ends, strict=True)]
    return [(start, end) for start, end in spans if start < end]


def _is_end(text: str, match: re.Match[str]) -> bool:
    shortened = _SHORTENED.search(text, max(0, match.start() - 12), match.start() + 1)
    return not shortened or bool(_STARTS.match(text, match.end()))


def sentence_at(spans: Sequence[tuple[int, int]], place: int) -> int:
    """The sentence that a character is in; where it is in none, the one before it (at the top the first)."""
    return max(0, bisect_right(spans, place, key=lambda span: span[0]) - 1)
