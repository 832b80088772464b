"""Remarks for the user on how a query was interpreted, where that may differ from the intention. Pure text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from pipeline.archive.search.groups import Group, is_kind
from pipeline.archive.search.parser import MAX_TERMS, Parsed
from pipeline.archive.search.pieces import BEGINNING, FILTERS, NARROWING, Token, is_beginning

_ASTERISK = re.compile(r"\w\*(?!\w)")
_OTHER_FILTER = re.compile(r"(show|podcast|host|guest|who|before|after|since|until|from|to|date):\S", re.IGNORECASE)
_INSTEAD = {
    **dict.fromkeys(("show", "podcast"), "a show is chosen by feed: and its short name"),
    **dict.fromkeys(("host", "guest", "who"), "who speaks is chosen by speaker: and a part of the name"),
}
_DATES = "dates are chosen with “Published from” and “to”, or --from and --to"


def remarks(parsed: Parsed) -> Iterator[str]:
    """Yield the remarks on a parsed query, as sentences."""
    wanted = parsed.wanted
    if parsed.remark:
        yield parsed.remark
    yield from _of_near(parsed.group)
    placed = list(_placed(parsed.tokens))
    has_sides = any(token.kind == "or" for token in wanted)
    of_words = {opening for token, groups in placed if token.kind == "text" for opening in groups}
    for token, groups in placed:
        left_out = token.negative or any(opening.negative for opening in groups)
        filtering = NARROWING.match(token.raw) if left_out and not token.quoted else None
        if filtering:
            kind = filtering[1].lower()
            yield f"“-{token.raw}” leaves out these words where they are said: a {kind} cannot be left out."
        if token.kind in FILTERS:
            yield from _of_filter(token, in_part=has_sides and not of_words.isdisjoint(groups))
        else:
            yield from _of_text(token)
    if len(wanted) > MAX_TERMS:
        yield f"Only the first {MAX_TERMS} of {len(wanted)} words and quotations are looked for."


def _placed(tokens: Sequence[Token]) -> Iterator[tuple[Token, tuple[Token, ...]]]:
    """The tokens that are used, each with the opening parentheses of the groups around it."""
    groups: tuple[Token, ...] = ()
    number = 0
    for token in tokens:
        if token.kind == "open":
            groups = (*groups, token)
        elif token.kind == "close":
            groups = groups[:-1]
        else:
            number += token.kind not in FILTERS
            if number <= MAX_TERMS:
                yield token, groups


def _of_filter(token: Token, *, in_part: bool) -> Iterator[str]:
    """Remarks on a filter; ``in_part`` if it stands in parentheses with words, of which others are an alternative."""
    if token.raw.startswith("(") and not token.quoted:
        each = " ".join(f"{token.kind}:{one}" for one in ("ONE", "ANOTHER"))
        yield f"“{token.kind}:” takes no parentheses: write {each}, which finds what either has."
    if in_part:
        yield f"“{token.kind}:{token.raw}” holds of all that is looked for, not in its parentheses alone."


def _of_text(token: Token) -> Iterator[str]:
    if token.quoted:
        if _ASTERISK.search(token.raw):
            yield f"“{token.raw}” is looked for word for word: in quotes an asterisk stands for nothing."
    elif other := _OTHER_FILTER.match(token.raw):
        yield f"“{token.raw}” is looked for as words: {_INSTEAD.get(other[1].lower(), _DATES)}."
    elif token.raw.startswith("question "):
        yield "A question is named by its number, as in question:3; anything else is looked for as words."
    elif token.raw.endswith("*") and not is_beginning(token.raw):
        yield f"“{token.raw}” is looked for as a word: a beginning needs {BEGINNING} letters at least."


def _of_near(group: Group) -> Iterator[str]:
    for place, part in enumerate(group.parts):
        if isinstance(part, Group):
            yield from _of_near(part)
        elif is_kind(part, "near"):
            beside = group.parts[max(0, place - 1) : place + 2]
            if any(isinstance(one, Group) and (one.negative or not one.choices) for one in beside):
                yield (
                    f"“{part.raw}” joins words, quotations and choices of them, such as (one OR two). Beside other "
                    "parentheses it is read as AND."
                )
