"""Full-text search, one function for the command line, the site and the JSON route. Only reads.

Words are searched in single segments and ranked. A quotation is searched in whole transcripts, because it often spans
two segments; its hit is the quotation itself, from the start of its first to the end of its last word.
"""

from __future__ import annotations

import sqlite3

from pipeline.archive.database import plain_rows
from pipeline.archive.search import passages, words
from pipeline.archive.search.assembly import hits_of
from pipeline.archive.search.hits import ANYTHING, ORDERS, Filters, Hit, Order, Results
from pipeline.archive.search.paging import Page, Position, Wanted
from pipeline.archive.search.query import Query, as_meant, compile_query
from pipeline.archive.search.scope import Scope

__all__ = ["ORDERS", "PAGE_SIZE", "Filters", "Hit", "Order", "Results", "search"]

PAGE_SIZE = 20


def search(
    connection: sqlite3.Connection,
    query: str | Query,
    filters: Filters = ANYTHING,
    *,
    order: Order = "relevance",
    page: str | int | None = None,
    size: int = PAGE_SIZE,
) -> Results:
    """Search the preferred transcripts.

    Args:
        connection: an open archive; its row factory does not matter.
        query: what the user typed, compiled or not; see ``pipeline.archive.search.query``.
        filters: further conditions.
        order: of the hits; ``relevance`` falls back to newest first for quotations and for words too common to rank.
        page: a value of ``Results.next``, or a page number from 1; None for the first page.
        size: hits a page.
    """
    query = compile_query(query) if isinstance(query, str) else query
    if not query.match and not query.narrows and filters == ANYTHING:
        return Results(order=order)
    scope = Scope.of(plain_rows(connection), filters, query)
    wanted = Wanted(order, Position.parse(None if page is None else str(page)), size)

    def find(query: Query) -> Page:
        return (passages.find if query.crosses else words.find)(scope, query, wanted)

    query, found = as_meant(query, find, is_found=lambda found: bool(found.total or found.spans))
    hits = hits_of(connection, found.spans, query, few=found.few)
    return Results(hits, found.total, found.exact, found.order, found.next, found.searched)
