"""Going through all pages of a search."""

from __future__ import annotations

import sqlite3
from typing import Any

from pipeline.archive.search import Filters, Results, search


def pages(connection: sqlite3.Connection, query: str, filters: Filters = Filters(), **options: Any) -> list[Results]:  # noqa: B008 - frozen
    found = [search(connection, query, filters, **options)]
    while found[-1].next:
        found.append(search(connection, query, filters, page=found[-1].next, **options))
    return found
