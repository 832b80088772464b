"""Remarks for the user on how a query was interpreted, where that may differ from the intention. Pure text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from pipeline.archive.search.groups import Group, is_kind
from pipeline.archive.search.parser import MAX_TERMS, Parsed
from pipeline.archive.search.pieces import BEGINNING, FILTERS, NARROWING, QUOTE, Token, is_beginning

_ASTERISK = re.compile(r"\w\*(?!\w)")
_OTHER_FILTER = re.compile(r"(show|podcast|host|guest|who|before|after|since|until|from|to|date):\S", re.IGNORECASE)
_INSTEAD = {
    **dict.fromkeys(("show", "podcast"), "to search one show, write feed: and its short name"),
    **dict.fromkeys(("host", "guest", "who"), "to search one speaker, write speaker: and a part of the name"),
}
_DATES = "to limit the dates, use “Published from” and “to”, or --from and --to"


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
            yield f"“-{token.raw}” leaves out passages with these words: a {kind} cannot be left out."
        if token.kind in FILTERS:
            yield from _of_filter(token, in_part=has_sides and not of_words.isdisjoint(groups))
        else:
            yield from _of_text(token)
    if any(token.kind == "text" and not token.quoted and QUOTE.search(token.raw) for token in wanted):
        yield "A quotation mark alone is ignored: only what stands between two is searched for word for word."
    if len(wanted) > MAX_TERMS:
        yield f"Only the first {MAX_TERMS} of {len(wanted)} words and quotations are searched for."


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
        yield f"“{token.kind}:” cannot be used with parentheses: write {each} to find either."
    if in_part:
        yield f"“{token.kind}:{token.raw}” applies to the whole search, not only inside the parentheses."


def _of_text(token: Token) -> Iterator[str]:
    if token.quoted:
        if _ASTERISK.search(token.raw):
            yield f"“{token.raw}” is searched for word for word: an asterisk has no meaning in quotes."
    elif other := _OTHER_FILTER.match(token.raw):
        yield f"“{token.raw}” is searched for as words: {_INSTEAD.get(other[1].lower(), _DATES)}."
    elif token.raw.startswith("question "):
        yield "A question is chosen by its number, as in question:3; anything else is searched for as words."
    elif token.raw.endswith("*") and not is_beginning(token.raw):
        yield f"“{token.raw}” is searched for as a whole word: a beginning needs at least {BEGINNING} letters."


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
