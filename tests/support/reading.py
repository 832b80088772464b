"""Reading the site's pages as a person or a browser does."""

from __future__ import annotations

import re
from html import unescape
from html.parser import HTMLParser
from typing import Any


def text_of(response: Any) -> str:
    """The visible text of a page, on one line."""
    body = response.text.partition("<main")[2].partition("<footer")[0]
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]*>", " ", f"<main{body}")))


class Tags(HTMLParser):
    """Collects the tags of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
