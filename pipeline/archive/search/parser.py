"""What people type or paste into a search box, taken apart: words, quotations, operators and filters. Pure text."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from pipeline.archive.tokens import folded_words

_QUOTES = {'"': '"', "“": "”", "„": "“”", "«": "»", "‹": "›"}
# These are apostrophes too. As a quote it ends a word: ‘it’s here’ goes on after the first of the two.
_SINGLE_QUOTES = {one: re.compile(rf"(?<=\S){end}(?!\w)") for one, end in (("‘", "’"), ("'", "'"))}
_TOKEN_CATEGORIES = ("L", "N", "Co")  # what FTS5's unicode61 tokenizer makes words of
_SPACE = re.compile(r"\s|$")
_NEAR = re.compile(r"NEAR/([1-9][0-9]?)")
NARROWING = re.compile(r"(speaker|feed|question):(?=\S)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Token:
    """A word or a quotation as it was typed, or an operator (``kind`` is ``or``, ``near`` or a filter's name).

    ``begin`` and ``end`` are of all that was typed for it, its quotes, its filter's name and its ``NOT`` too. As they
    are read, ``and`` and ``not`` are kinds as well.
    """

    kind: str
    raw: str
    negative: bool = False
    quoted: bool = False
    begin: int = 0
    end: int = 0


@dataclass(frozen=True, slots=True)
class Typed:
    """A query as it was typed. ``words`` are looked for, each folded and with its characters' span in the text.

    ``besides`` are its filters and exclusions.
    """

    words: tuple[tuple[str, int, int], ...]
    besides: str


def take_apart(text: str) -> Typed:
    """Tell the words that are looked for from operators, filters and exclusions."""
    read = [token for token in tokens(text) if token.kind not in {"or", "near"}]
    wanted = [token for token in read if token.kind == "text" and not token.negative]
    return Typed(
        words=tuple(
            (word, token.begin + begin, token.begin + end)
            for token in wanted
            for word, begin, end in folded_words(text[token.begin : token.end])
        ),
        besides=" ".join(text[token.begin : token.end] for token in read if token not in wanted),
    )


def narrowed_to(text: str, others: Mapping[str, str]) -> str:
    """Return what was typed, with other names and slugs in the place of some that it narrows down to."""
    typed = unicodedata.normalize("NFC", text)
    for token in reversed([one for one in tokens(typed) if one.kind in {"speaker", "feed"} and one.raw in others]):
        other = others[token.raw].replace('"', " ")
        quoted = f'"{other}"' if any(map(str.isspace, other)) else other
        typed = f"{typed[: token.begin]}{token.kind}:{quoted}{typed[token.end :]}"
    return typed


def tokens(text: str) -> Iterator[Token]:
    """Yield what was typed, in order, but for what holds no word.

    AND is dropped, and NOT makes what follows negative.
    """
    read = list(_read(text))
    negated: Token | None = None
    for place, token in enumerate(read):
        joins = place + 1 < len(read)
        if token.kind == "not" and joins:
            negated = negated or token
        elif token.kind == "and" and joins and place > 0:
            continue
        elif negated and token.kind not in {"or", "near"}:
            raw = token.raw if token.kind == "text" else text[token.begin : token.end]
            yield replace(token, kind="text", raw=raw, negative=True, begin=negated.begin)
            negated = None
        else:
            yield replace(token, kind="text") if token.kind in {"and", "not"} else token


def _read(text: str) -> Iterator[Token]:
    position = 0
    while position < len(text):
        if text[position].isspace():
            position += 1
            continue
        begin = position
        negative = text[position] == "-" and position + 1 < len(text) and not text[position + 1].isspace()
        narrowing = None if negative else NARROWING.match(text, position)
        start = narrowing.end() if narrowing else position + negative
        raw, position, quoted = _piece(text, start)
        if not _has_word(raw):
            continue
        kind = narrowing[1].lower() if narrowing else "text"
        plain = not quoted and not negative and not narrowing
        near = _NEAR.fullmatch(raw) if plain else None
        if plain and raw in {"OR", "AND", "NOT"}:
            yield Token(raw.lower(), raw, begin=begin, end=position)
        elif near:
            yield Token("near", near[1])
        elif kind == "question" and not re.fullmatch(r"[0-9]{1,4}", raw):
            yield Token("text", f"question {raw}", begin=begin, end=position)
        else:
            yield Token(kind, raw, negative, quoted, begin, position)


def _piece(text: str, start: int) -> tuple[str, int, bool]:
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
    space = _SPACE.search(text, start)
    end = space.start() if space else len(text)
    return text[start:end], end, False


def _has_word(text: str) -> bool:
    return any(unicodedata.category(character).startswith(_TOKEN_CATEGORIES) for character in text)
