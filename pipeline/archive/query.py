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
class Alternative:
    """One side of an OR. ``match`` finds what holds it; ``marks`` finds the places in it that are worth showing.

    ``exact`` holds the words of each quoted phrase, folded: the index stems, a quotation does not. Where it is empty,
    the alternative has only single words, and any form of them counts.
    """

    match: str
    marks: str
    exact: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Query:
    """A compiled query. ``match`` is the whole of it, and empty when there is nothing to look for."""

    match: str = ""
    alternatives: tuple[Alternative, ...] = ()

    @property
    def has_phrase(self) -> bool:
        """Tell whether something is quoted, so that whole transcripts have to be searched."""
        return any(alternative.exact for alternative in self.alternatives)


@dataclass(frozen=True, slots=True)
class _Term:
    fts: str
    negative: bool
    exact: tuple[str, ...]  # the folded words of a quoted phrase, else empty


def compile_query(text: str) -> Query:
    """Compile ``text``; the result never raises an FTS5 syntax error."""
    groups: list[list[_Term]] = [[]]
    excluded: list[str] = []
    for term in _terms(unicodedata.normalize("NFC", text.replace("\0", " "))):
        if term is None:  # OR
            groups.append([])
        elif term.negative:
            excluded.append(term.fts)
        else:
            groups[-1].append(term)
    without = f" NOT ({' OR '.join(excluded)})" if excluded else ""
    alternatives = tuple(_alternative(group, without) for group in groups if group)
    return Query(" OR ".join(f"({alternative.match})" for alternative in alternatives), alternatives)


def _alternative(terms: list[_Term], without: str) -> Alternative:
    phrases = [term for term in terms if term.exact]
    return Alternative(
        match=f"({' AND '.join(term.fts for term in terms)}){without}",
        marks=" OR ".join(term.fts for term in phrases or terms),
        exact=tuple(term.exact for term in phrases),
    )


def folded_words(text: str) -> list[tuple[str, int, int]]:
    """Return a text's words as the index sees them but for stemming, each with its character span.

    Letters are compared without case and accents, as FTS5's ``unicode61 remove_diacritics 2`` does.
    """
    return [(_fold(word[0]), word.start(), word.end()) for word in re.finditer(r"[^\W_]+", text)]


def _fold(word: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFD", word.casefold()) if not unicodedata.combining(c))


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
    words = tuple(word for word, _, _ in folded_words(raw)) if quoted else ()
    return _Term(fts, negative, exact=words if len(words) > 1 else ())


def _find_any(text: str, characters: str, start: int) -> int:
    found = [place for place in (text.find(character, start) for character in characters) if place >= 0]
    return min(found, default=-1)


def _has_token(text: str) -> bool:
    return any(unicodedata.category(character).startswith(_TOKEN_CATEGORIES) for character in text)
