"""Suggestions for a search without hits: unknown filters, similar passages, other spellings, looser queries."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass

from pipeline.align.lexical import STOPWORDS
from pipeline.archive.database import plain_rows
from pipeline.archive.search import search
from pipeline.archive.search.hits import ANYTHING, Filters
from pipeline.archive.search.nearly import Nearly, nearly
from pipeline.archive.search.parser import narrowed_to
from pipeline.archive.search.query import Query
from pipeline.archive.search.spelling import spelling
from pipeline.archive.search.unknown import unknown


@dataclass(frozen=True, slots=True)
class Instead:
    """Suggestions: the most similar passages, a corrected ``spelling``, and a ``looser`` query.

    ``remarks`` are sentences about filters that name nothing in the archive; then only a corrected filter is suggested,
    as ``spelling``.
    """

    nearly: tuple[Nearly, ...] = ()
    spelling: str | None = None
    looser: str | None = None
    remarks: tuple[str, ...] = ()


def instead(connection: sqlite3.Connection, query: Query, filters: Filters = ANYTHING) -> Instead:
    """Return suggestions for a search that has no hits."""
    cursor = plain_rows(connection)
    missing = tuple(unknown(cursor, query, filters))

    def finds(other: str) -> bool:
        return bool(search(connection, other, filters, size=1).hits)

    if missing:
        meant = narrowed_to(query.text, {one.said: one.meant for one in missing if one.meant})
        found = meant != query.text and finds(meant)
        return Instead(
            spelling=meant if found else None,
            remarks=tuple(f"{one.told}." if found and one.meant else one.sentence for one in missing),
        )
    passages = nearly(connection, query, filters)
    spelt = spelling(cursor, query)
    return Instead(
        nearly=passages,
        spelling=spelt if spelt and finds(spelt) else None,
        looser=None if passages else next((one for one in _looser(query) if finds(one)), None),
    )


def _words(query: Query) -> Iterator[str]:
    """The search words; a figure such as 5,000 stays one word, since its 000 would match any other."""
    text, figure, begun, ended = query.text, "", 0, 0
    for word, begin, end in query.typed.words:
        goes_on = text[ended:begin] in {",", "."} and figure[-1:].isdigit() and word[0].isdigit()
        if figure and not goes_on:
            yield figure + "*" * text.startswith("*", ended)
        figure, begun, ended = (text[begun:end], begun, end) if goes_on else (word, begin, end)
    if figure:
        yield figure + "*" * text.startswith("*", ended)


def _looser(query: Query) -> Iterator[str]:
    """Looser queries: the words in any order, the content words only, any of them. Filters and exclusions are kept."""
    words = list(_words(query))
    if len(words) < 2:
        return
    carrying = [word for word in words if word not in STOPWORDS] or words
    looser = [" ".join(carrying), " OR ".join(carrying), " OR ".join(words)]
    if query.crosses:
        looser.insert(0, " ".join(words))
    for one in dict.fromkeys(looser):
        yield " ".join(filter(None, [one, query.typed.besides]))
