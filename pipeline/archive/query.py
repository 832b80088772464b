"""What people type or paste into a search box, compiled to an FTS5 expression. Pure text; touches no database.

Words must all occur; "a phrase" (straight or typographic quotes) occurs word for word; ``begin*`` matches
beginnings; ``-without`` excludes; ``OR`` between two terms takes either. Everything else is plain text: no input
makes SQLite complain, because only quoted strings and our own operators are ever sent to it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

_QUOTES = {'"': '"', "“": "”", "„": "“”", "«": "»", "‹": "›"}
_TOKEN_CATEGORIES = ("L", "N", "Co")  # what FTS5's unicode61 tokenizer makes words of


@dataclass(frozen=True, slots=True)
class Query:
    """A compiled query. ``match`` is empty when there is nothing to look for; ``phrases`` are quoted ones only."""

    match: str = ""
    phrases: tuple[str, ...] = ()

    @property
    def phrase_match(self) -> str:
        """Return the expression that finds the quoted phrases alone, to mark them."""
        return " OR ".join(self.phrases)


@dataclass(frozen=True, slots=True)
class _Term:
    fts: str
    negative: bool
    phrase: bool


def compile_query(text: str) -> Query:
    """Compile ``text``; the result never raises an FTS5 syntax error."""
    alternatives: list[list[str]] = [[]]
    excluded: list[str] = []
    phrases: list[str] = []
    for term in _terms(unicodedata.normalize("NFC", text.replace("\0", " "))):
        if term is None:  # OR
            alternatives.append([])
        elif term.negative:
            excluded.append(term.fts)
        else:
            alternatives[-1].append(term.fts)
            if term.phrase:
                phrases.append(term.fts)
    wanted = [f"({' AND '.join(group)})" for group in alternatives if group]
    if not wanted:
        return Query()
    match = " OR ".join(wanted)
    if excluded:
        match = f"({match}) NOT ({' OR '.join(excluded)})"
    return Query(match, tuple(phrases))


def _terms(text: str) -> Iterator[_Term | None]:
    """The terms of ``text`` in order; None stands for OR."""
    position = 0
    while position < len(text):
        if text[position].isspace():
            position += 1
            continue
        negative = text[position] == "-" and position + 1 < len(text) and not text[position + 1].isspace()
        start = position + negative
        closing = _QUOTES.get(text[start])
        end = _find_any(text, closing, start + 1) if closing else -1
        if end >= 0:
            raw, position, quoted = text[start + 1 : end], end + 1, True
        else:  # a lone quote is plain text
            stop = re.compile(r"\s|$").search(text, start)
            position = stop.start() if stop else len(text)
            raw, quoted = text[start:position], False
        if raw == "OR" and not quoted and not negative:
            yield None
        elif _has_token(raw):
            yield _term(raw, negative=negative, quoted=quoted)


def _term(raw: str, *, negative: bool, quoted: bool) -> _Term:
    prefix = not quoted and raw.endswith("*")
    fts = '"' + raw.replace('"', " ").rstrip("*") + '"' + ("*" if prefix else "")
    return _Term(fts, negative, phrase=quoted and len(re.findall(r"\w+", raw)) > 1)


def _find_any(text: str, characters: str, start: int) -> int:
    found = [place for place in (text.find(character, start) for character in characters) if place >= 0]
    return min(found, default=-1)


def _has_token(text: str) -> bool:
    return any(unicodedata.category(character).startswith(_TOKEN_CATEGORIES) for character in text)
