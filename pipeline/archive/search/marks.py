"""Marks around words that are found: those that FTS5 sets, and those of HTML. Pure text."""

from __future__ import annotations

import re
from collections.abc import Iterable
from html import escape

_MARK, _UNMARK = "\x02", "\x03"  # transcripts do not contain these characters
_MARKED = re.compile(f"{_MARK}([^{_UNMARK}]*){_UNMARK}")


def highlit(table: str) -> str:
    """Return the SQL for the text of a row of an FTS5 table, with what is found in it between marks."""
    return f"highlight({table}, 0, '{_MARK}', '{_UNMARK}')"


def unmarked(text: str) -> tuple[str, list[tuple[int, int]]]:
    """Return a text that FTS5 marked without the marks, and the character spans in it that were marked."""
    spans = [(one.start() - 2 * n, one.end() - 2 * n - 2) for n, one in enumerate(_MARKED.finditer(text))]
    return text.replace(_MARK, "").replace(_UNMARK, ""), spans


def as_html(text: str) -> str:
    """Return a text that FTS5 marked as HTML, with what was marked in ``<mark>``."""
    return escape(text).replace(_MARK, "<mark>").replace(_UNMARK, "</mark>")


def marked(text: str, marks: Iterable[tuple[int, int]]) -> str:
    """Return ``text`` as HTML with these sorted, disjoint character spans in ``<mark>``."""
    parts, position = [], 0
    for begin, end in marks:
        parts += [escape(text[position:begin]), "<mark>", escape(text[begin:end]), "</mark>"]
        position = end
    return "".join([*parts, escape(text[position:])])
