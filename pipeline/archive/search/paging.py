"""Pages of hits: where one begins, what it holds, and how it is filled from one transcript after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple

from pipeline.archive.search.hits import Order
from pipeline.archive.search.scope import Place

_READ = 5_000  # candidate segments that are read for one page
_END = 10**12  # an offset beyond any text: a page that begins after it begins after the whole segment


class Span(NamedTuple):
    """From character ``begin`` of segment ``first`` to ``end`` of segment ``last``; or a ``whole`` segment."""

    first: int
    begin: int
    last: int
    end: int
    whole: bool = False

    @classmethod
    def of(cls, segment: int) -> Span:
        """Return a whole segment."""
        return cls(segment, 0, segment, 0, whole=True)


@dataclass(frozen=True, slots=True)
class Position:
    """A page cursor: page ``page`` starts after the hit at character ``begin`` of segment ``segment``."""

    page: int = 1
    segment: int | None = None
    begin: int = 0

    @classmethod
    def parse(cls, text: str | None) -> Position:
        """Parse a value of ``Results.next`` or a page number; anything else is the first page."""
        if text is None or not cls.is_named(text):
            return cls()
        page, *place = (int(part) for part in text.split("-"))
        return cls(page, *place)

    @staticmethod
    def is_named(text: str) -> bool:
        """Tell whether a text is a page number (from 1) or a value of ``Results.next``."""
        parts = text.split("-")
        numbers = all(part.isascii() and part.isdigit() and len(part) < 16 for part in parts)
        return len(parts) <= 3 and numbers and int(parts[0]) > 0

    def following(self, segment: int, begin: int = 0) -> str:
        """Return the cursor of the next page, given the position of this page's last hit."""
        return f"{self.page + 1}-{segment}-{begin}"


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which page is wanted, of how many hits, in which order."""

    order: Order
    at: Position
    size: int

    @property
    def oldest(self) -> bool:
        """Tell whether the oldest hits come first; of those that are not ranked it is the newest otherwise."""
        return self.order == "oldest"


@dataclass(frozen=True, slots=True)
class Page:
    """What is found on one page. ``total``, ``exact``, ``order``, ``next`` and ``searched`` are those of ``Results``.

    ``few`` is true if all matching segments of the archive were read, in scope or not.
    """

    spans: tuple[Span, ...]
    total: int
    exact: bool
    order: Order
    next: str | None
    searched: int | None = None
    few: bool = False


# Finds in a transcript, beyond a position, all spans or at least so many; and tells how many segments it read for it.
Look = Callable[[Place, Position, int], tuple[Sequence[Span], int]]


def walk(places: Iterator[Place], look: Look, wanted: Wanted, begun: Place | None, *, most: int) -> Page:
    """Search transcript by transcript until a page is full, or ``most`` of them have been searched.

    Args:
        places: the transcripts in order.
        look: searches one.
        wanted: which page, and in which order the transcripts are.
        begun: the transcript that the page before ended in; the first of ``places``.
        most: transcripts for one page.
    """
    at, size = wanted.at, wanted.size
    reach = 1 if begun else at.page  # a page asked for by its number is reached through all before it
    found: list[Span] = []
    looked, read, last = 0, 0, None
    for place in islice(places, most * reach):
        looked, last = looked + 1, place
        spans, segments = look(place, at if place == begun else Position(), reach * size + 1 - len(found))
        found += spans
        read += segments
        if len(found) > reach * size or read > _READ * reach:
            break
    full, ended = len(found) > reach * size, next(places, None) is None
    page = tuple(found[(reach - 1) * size : reach * size])
    cut = not full and not ended
    following = None
    if cut and last:
        following = at.following(last.last, _END)  # where it was looked last, though nothing may be found there
    elif full:
        following = at.following(*page[-1][:2])
    return Page(
        page,
        (at.page - reach) * size + len(found),
        exact=ended,
        order="oldest" if wanted.oldest else "newest",
        next=following,
        searched=looked if cut else None,
    )
