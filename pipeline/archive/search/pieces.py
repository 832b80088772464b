"""The lexer for search queries: words, quotations, operators, filters and parentheses.

Pure text. ``parser`` and ``groups`` interpret the tokens.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from pipeline.archive.tokens import folded_words

FILTERS = ("speaker", "feed", "question")
NARROWING = re.compile(rf"({'|'.join(FILTERS)}):(?=\S)", re.IGNORECASE)
_QUOTES = {'"': '"', "“": "”", "”": "”", "„": "“”", "«": "»", "»": "«", "‹": "›", "›": "‹"}
QUOTE = re.compile(f"[{''.join(_QUOTES)}]")
# These are apostrophes too: one closes a quotation only at the end of a word, so ‘it’s here’ is one quotation.
_SINGLE_QUOTES = {one: re.compile(rf"(?<=\S){end}(?!\w)") for one, end in (("‘", "’"), ("'", "'"))}
_MARKS = "".join([*_QUOTES, *_SINGLE_QUOTES])
_BEFORE_QUOTE = re.compile(rf"[^\w\s{_MARKS}]+(?=[{_MARKS}])")  # as in (“so”) and —“so”
_TOKEN_CATEGORIES = ("L", "N", "Co")  # what FTS5's unicode61 tokenizer makes words of
# A word goes up to a space, or to what opens a quotation, as in help(“so”) and help—“so”.
_WORD_END = re.compile(rf"\s|$|(?<![(\[{{–—])[(\[{{–—]+(?=[{''.join(_QUOTES)}]\w)")
_DISTANCE = "([1-9][0-9]?)"
_NEAR = re.compile(f"NEAR(?:/{_DISTANCE})?")
_NEAR_ALONE = 10  # words between if no number is given; FTS5's default
_BEFORE_PARENTHESIS = re.compile(rf"(?:AND|OR|NOT|NEAR/{_DISTANCE})(?=\()")
_CLOSING = re.compile(r"\)(?=[^\w\s]*(?:\s|$)|\)*(?:AND|OR|NOT)(?:[\s(]|$))")
BEGINNING = 2  # minimum number of letters of a prefix (``be*``)


@dataclass(frozen=True, slots=True)
class Token:
    """A word or a quotation as it was typed, or an operator (``kind`` is ``or``, ``near`` or a filter's name).

    ``begin`` and ``end`` are of all that was typed for it, its quotes, its filter's name and its ``NOT`` too. Where
    parentheses group, they are ``open`` and ``close``. As they are read, ``and`` and ``not`` are kinds as well.
    """

    kind: str
    raw: str
    negative: bool = False
    quoted: bool = False
    begin: int = 0
    end: int = 0

    @property
    def distance(self) -> int:
        """Return how many words may stand between what ``near`` joins."""
        near = _NEAR.fullmatch(self.raw)
        return int(near[1]) if near and near[1] else _NEAR_ALONE


def is_beginning(text: str) -> bool:
    """Tell whether a text is a prefix such as ``relation*``. One letter is too short: it would match most segments."""
    words = folded_words(text) if text.endswith("*") else []
    return bool(words) and len(words[-1][0]) >= BEGINNING


def pieces(text: str, *, grouped: bool = False) -> Iterator[Token]:
    """Yield the tokens of a query in order, skipping those without a word.

    Args:
        text: all of it.
        grouped: yield parentheses around words as tokens, matched or not; otherwise they are skipped like other
            punctuation. Parentheses within a word or a quotation belong to that in either case.
    """
    position = 0
    while position < len(text):
        begin = position
        negative = text[begin] == "-" and begin + 1 < len(text) and not text[begin + 1].isspace()
        start = begin + negative
        if text[begin].isspace() or (grouped and text[start] == ")"):
            if text[begin] == ")":
                yield Token("close", ")", begin=begin, end=begin + 1)
            position += 1
        elif grouped and text[start] == "(":
            position = start + 1
            yield Token("open", "(", negative, begin=begin, end=position)
        else:
            token = _token(text, begin, grouped=grouped)
            position = token.end
            if _has_word(token.raw):
                yield token


def _token(text: str, begin: int, *, grouped: bool) -> Token:
    """The token at ``begin``, which is not a space."""
    negative = text[begin] == "-" and begin + 1 < len(text) and not text[begin + 1].isspace()
    narrowing = None if negative else NARROWING.match(text, begin)
    before = None if narrowing else _BEFORE_QUOTE.match(text, begin + negative)
    start = narrowing.end() if narrowing else before.end() if before else begin + negative
    raw, end, quoted = _piece(text, start, grouped=grouped)
    kind = narrowing[1].lower() if narrowing else "text"
    if kind == "text" and not quoted and not negative:
        if raw in {"OR", "AND", "NOT"}:
            kind = raw.lower()
        elif _NEAR.fullmatch(raw):
            kind = "near"
    elif kind == "question" and not re.fullmatch(r"[0-9]{1,4}", raw):
        return Token("text", f"question {raw}" if _has_word(raw) else "", begin=begin, end=end)
    return Token(kind, raw, negative, quoted, begin, end)


def _piece(text: str, start: int, *, grouped: bool) -> tuple[str, int, bool]:
    """What stands at ``start``: its text, where it ends, and whether it is in quotes. A lone quote is plain text."""
    opening = text[start]
    if opening in _QUOTES:
        ends = [place for place in (text.find(character, start + 1) for character in _QUOTES[opening]) if place >= 0]
        if ends:
            return text[start + 1 : min(ends)], min(ends) + 1, True
    elif opening in _SINGLE_QUOTES:
        closing = _SINGLE_QUOTES[opening].search(text, start + 1)
        if closing:
            return text[start + 1 : closing.start()], closing.end(), True
    end = _end_in_group(text, start) if grouped else _end(text, start)
    return text[start:end], end, False


def _end(text: str, start: int) -> int:
    end = _WORD_END.search(text, start + 1)
    return end.start() if end else len(text)


def _end_in_group(text: str, start: int) -> int:
    """Where a word ends: before the parenthesis that closes a group, but after those of its own, as in child(ren)."""
    if operator := _BEFORE_PARENTHESIS.match(text, start):
        return operator.end()
    opened = 0
    for place in range(start, _end(text, start)):
        if text[place] == "(":
            opened += 1
        elif text[place] == ")" and opened:
            opened -= 1
        elif text[place] == ")" and _CLOSING.match(text, place):
            return place
    return _end(text, start)


def _has_word(text: str) -> bool:
    return any(unicodedata.category(character).startswith(_TOKEN_CATEGORIES) for character in text)
