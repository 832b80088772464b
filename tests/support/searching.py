"""Helpers: reading all pages of a search, and the quotable words of a text."""

from __future__ import annotations

import re
import sqlite3
from typing import Any

from pipeline.archive.search import Filters, Results, search
from pipeline.archive.tokens import fold


def pages(connection: sqlite3.Connection, query: str, filters: Filters = Filters(), **options: Any) -> list[Results]:  # noqa: B008 - frozen
    found = [search(connection, query, filters, **options)]
    while found[-1].next:
        found.append(search(connection, query, filters, page=found[-1].next, **options))
    return found


def quotable(text: str) -> list[str]:
    """The folded words of a text, computed independently of the program; a figure such as 2.6 or 12% is one word."""
    return re.findall(r"[^\W_]*[0-9](?:[.,](?=[0-9])|[^\W_])*%?|[^\W_]+", fold(text))
