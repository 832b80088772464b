"""Approximate quotation search, because people misremember and Whisper mishears."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, islice, pairwise
from typing import NamedTuple

from rapidfuzz import fuzz, process

from pipeline.archive.database import plain_rows
from pipeline.archive.search.assembly import hits_of
from pipeline.archive.search.hits import ANYTHING, Filters, Hit
from pipeline.archive.search.paging import Span
from pipeline.archive.search.parser import parse
from pipeline.archive.search.query import Query
from pipeline.archive.search.scope import Place, Scope
from pipeline.archive.search.spelt import Spelt, is_same, spellings, spelt
from pipeline.archive.search.words import matching

SHARE = 0.4  # the share of a quotation's words that may differ
OFFERED = 3  # passages
_SAMPLE = 2_000  # occurrences of a word from which it says little about a quotation
_FOUND = 5_000  # segments that share words with it, at most, of which the likeliest
_READ = 200  # in scope are read with what is around them
_COMPARED = 8  # of these that are compared word by word
_QUOTATION = 3  # words that it needs at least
_ASKED = 60  # of its words that are compared

Steps = tuple[tuple[int | None, int | None], ...]  # pairs of places in two texts; None where one has no word


@dataclass(frozen=True, slots=True)
class Piece:
    """A run of a word diff; ``kind`` is ``same``, ``asked`` (only in the query) or ``said`` (only in the passage)."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Nearly:
    """A passage similar to a quotation, the number of ``differing`` words, and their diff in ``pieces``."""

    hit: Hit
    differing: int
    pieces: tuple[Piece, ...]

    @property
    def shown(self) -> str:
        """Return the comparison as plain text: ``we picked [four] {three} things``, what was said in braces."""
        form = {"same": "{}", "asked": "[{}]", "said": "{{{}}}"}
        return " ".join(form[piece.kind].format(piece.text) for piece in self.pieces)


class _Spoken(NamedTuple):
    """A word of a segment."""

    segment: int
    word: Spelt


def nearly(connection: sqlite3.Connection, query: Query, filters: Filters = ANYTHING) -> tuple[Nearly, ...]:
    """Return the passages that differ least from a quotation (with or without quotes), the closest first.

    Of a long quotation only the first words are compared; another spelling of a word is the same word. Filters apply
    to the segment in which a passage begins, exclusions to its whole transcript.
    """
    typed = _asked(query)[:_ASKED]
    asked = [word.key for word in typed]
    if len(asked) < _QUOTATION:
        return ()
    cursor = plain_rows(connection)
    scope = Scope.of(cursor, filters, query)
    anchors = _likely(cursor, [_any_of(query.text[word.begin : word.end]) for word in typed])
    windows = [
        _spoken(cursor, anchor, place, len(asked))
        for anchor in _in_scope(scope, query, anchors)
        if (place := scope.place_of(anchor))
    ]
    wanted = " ".join(asked)
    # What is shorter than the quotation would be compared with a part of it.
    texts = [" ".join(said.word.key for said in window).ljust(len(wanted)) for window in windows]
    found: dict[Span, tuple[int, tuple[Piece, ...]]] = {}
    for _, _, n in process.extract(wanted, texts, scorer=fuzz.partial_ratio, limit=_COMPARED):
        window = windows[n]
        begin, end, steps = compare(asked, [said.word.key for said in window])
        differing = sum(a is None or s is None or not is_same(asked[a], window[s].word.key) for a, s in steps)
        if end > begin and differing <= SHARE * len(asked):
            first, last = window[begin], window[end - 1]
            span = Span(first.segment, first.word.begin, last.segment, last.word.end)
            found[span] = differing, tuple(_pieces(typed, window, steps))
    fits = set(scope.kept([span.first for span in found]))
    nearest = sorted((span for span in found if span.first in fits), key=lambda span: (found[span][0], -span.first))[
        :OFFERED
    ]
    hits = hits_of(connection, nearest, query)
    return tuple(Nearly(hit, *found[span]) for span, hit in zip(nearest, hits, strict=True))


def _in_scope(scope: Scope, query: Query, anchors: Sequence[int]) -> list[int]:
    """The anchors near which a quotation may begin in scope, in transcripts without excluded words."""
    barred = set(scope.holding(query.excluded)) if query.excluded else set[Place]()
    fits = set(scope.kept([one for anchor in anchors for one in (anchor - 1, anchor)]))
    near = (one for one in anchors if (one in fits or one - 1 in fits) and scope.place_of(one) not in barred)
    return list(islice(near, _READ))


def _asked(query: Query) -> list[Spelt]:
    """The words of the first quotation in a query, or all that it looks for."""
    places = {begin for _, begin, _ in query.typed.words}
    words = [word for word in spelt(query.text) if word.begin in places]
    quotations = (
        [word for word in words if token.begin <= word.begin < token.end]
        for token in parse(query.text).tokens
        if token.kind == "text" and token.quoted
    )
    return next((quotation for quotation in quotations if len(quotation) > 1), words)


def _pieces(asked: Sequence[Spelt], said: Sequence[_Spoken], steps: Steps) -> Iterator[Piece]:
    """The alignment as runs for display; in a differing run the query's words come before the passage's.

    Words that are written as one (``well-known``) are shown as one, and differ if any part does.
    """
    parts = [_part(asked, said, *step) for step in steps]
    for agree, group in groupby(_together(parts), key=lambda some: all(part.is_same for part in some)):
        spelt_as = {unit: spelling for some in group for part in some for unit, spelling in part.units.items()}
        for kind, side in (("same", "said"),) if agree else (("asked", "asked"), ("said", "said")):
            words = [spelling for (whose, _, _), spelling in spelt_as.items() if whose == side]
            if words:
                yield Piece(kind, " ".join(words))


_Unit = tuple[str, int, int]  # on which side, in which segment, from which character on


class _Part(NamedTuple):
    """A step of the alignment: whether both sides agree, and the spelling of the written unit each word is part of."""

    is_same: bool
    units: Mapping[_Unit, str]


def _part(asked: Sequence[Spelt], said: Sequence[_Spoken], a: int | None, s: int | None) -> _Part:
    units: dict[_Unit, str] = {}
    if a is not None:
        units["asked", 0, asked[a].unit] = asked[a].spelling
    if s is not None:
        units["said", said[s].segment, said[s].word.unit] = said[s].word.spelling
    return _Part(a is not None and s is not None and is_same(asked[a].key, said[s].word.key), units)


def _together(parts: Sequence[_Part]) -> Iterator[Sequence[_Part]]:
    """Group consecutive steps that share a written unit."""
    last = {unit: n for n, part in enumerate(parts) for unit in part.units}
    begin = reach = 0
    for n, part in enumerate(parts):
        if n > reach:
            yield parts[begin:n]
            begin = n
        reach = max([reach, n, *(last[unit] for unit in part.units)])
    yield parts[begin:]


def _any_of(word: str) -> str:
    """The FTS5 expression for a word in all of its spellings."""
    spelt_as = " OR ".join(f'"{one}"' for one in spellings(word))
    return f"({spelt_as})"


def _likely(cursor: sqlite3.Cursor, asked: Sequence[str]) -> list[int]:
    """Segments that share the rarer words of a quotation, given as FTS5 expressions, the most likely first."""
    known = {word: len(matching(cursor, word, _SAMPLE)) for word in dict.fromkeys(asked)}
    rare = [word for word, number in known.items() if 0 < number < _SAMPLE]
    # Where all of its words are common, two of them together are less so.
    common = [f"({one} AND {other})" for one, other in pairwise(asked) if known[one] and known[other]]
    match = " OR ".join(rare or common)
    if not match:
        return []
    order = "order by rank " if rare else ""
    sql = f"select rowid from segments_fts where segments_fts match ? {order}limit ?"
    return [segment for (segment,) in cursor.execute(sql, [match, _FOUND])]


def _spoken(cursor: sqlite3.Cursor, anchor: int, place: Place, words: int) -> list[_Spoken]:
    """The words around a segment, enough to contain a quotation of ``words`` words."""
    reach = 1 + words // 6
    sql = "select id, text from segments where id between ? and ? order by id"
    rows = cursor.execute(sql, [max(place.first, anchor - reach), min(place.last, anchor + reach)])
    return [_Spoken(segment, word) for segment, text in rows for word in spelt(text)]


def compare(asked: Sequence[str], said: Sequence[str]) -> tuple[int, int, Steps]:
    """Align ``asked`` to the span of ``said`` with the smallest edit distance (Sellers 1980).

    Returns:
        begin and end of the span in ``said``, and the alignment: pairs of indices into ``asked`` and ``said``, None
        where one side has no word.
    """
    rows = [[0.0] * (len(said) + 1)]
    for i, word in enumerate(asked, 1):
        row = [float(i)]
        for j, other in enumerate(said, 1):
            row.append(min(rows[-1][j - 1] + _change(word, other), rows[-1][j] + 1.0, row[-1] + 1.0))
        rows.append(row)
    end = min(range(len(said) + 1), key=lambda j: (rows[-1][j], j))
    steps: list[tuple[int | None, int | None]] = []
    i, j = len(asked), end
    while i:
        if j and rows[i][j] == rows[i - 1][j - 1] + _change(asked[i - 1], said[j - 1]):
            i, j = i - 1, j - 1
            steps.append((i, j))
        elif rows[i][j] == rows[i - 1][j] + 1.0:
            i -= 1
            steps.append((i, None))
        else:
            j -= 1
            steps.append((None, j))
    return j, end, tuple(reversed(steps))


def _change(word: str, other: str) -> float:
    # Similarly spelt words cost less, so that they are aligned with each other. What was said in place of a word is
    # always shown (less than 1): the last word of “1 in 4”, too.
    return 0.0 if is_same(word, other) else 0.99 - 0.4 * fuzz.ratio(word, other) / 100
