"""What a search is asked for and what it answers: filters, hits, a page of them. Touches no database."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, NamedTuple, get_args

from pipeline.addresses import Addresses
from pipeline.archive.about import questions_named
from pipeline.flags import doubts
from pipeline.times import clock

Order = Literal["relevance", "newest", "oldest"]
ORDERS: tuple[Order, ...] = get_args(Order)
MARK, UNMARK = "\x02", "\x03"  # about what FTS5 highlights; transcripts have no such characters
MARKED = re.compile(f"{MARK}([^{UNMARK}]*){UNMARK}")


@dataclass(frozen=True, slots=True)
class Filters:
    """What else must hold. ``since`` and ``until`` are ISO dates (inclusive) of publication."""

    feed: str | None = None
    speaker: str | None = None
    role: str | None = None
    question: int | None = None
    since: str | None = None
    until: str | None = None


ANYTHING = Filters()
END = 10**12  # a character beyond any text: a page that begins after it begins after its segment


class Turn(NamedTuple):
    """What one speaker says of a passage in which several speak, escaped, with the hit in ``<mark>``."""

    speaker: str | None
    html: str


class Hit(NamedTuple):
    """One passage. ``start`` and ``end`` are seconds; ``html`` is ``text`` escaped, with the hit in ``<mark>``.

    ``speaker``, ``role``, ``question`` and ``questions`` are those of its beginning: the first of the published
    questions that it is about, and all of them. Where somebody else goes on, ``turns`` say who says what of it, in
    order; else it is empty. ``rendition`` is the sha256 of the recording that the times belong to; ``before`` and
    ``after`` are what the first and the last speaker say around it. ``flags`` are why the machine itself was not sure
    of some of it, ``checked`` tells whether a person has heard all of it.
    """

    episode: str
    rendition: str
    title: str
    published: str | None
    speaker: str | None
    role: str
    question: int | None
    start: float
    end: float
    text: str
    html: str
    before: str = ""
    after: str = ""
    turns: tuple[Turn, ...] = ()
    questions: tuple[int, ...] = ()
    flags: tuple[str, ...] = ()
    checked: bool = False

    @property
    def about(self) -> str:
        """Return which questions it asks or answers, in words; empty where it is about none."""
        named = questions_named(self.questions)
        return named and {"question": "", "answer": "answer to "}.get(self.role, "on ") + named

    @property
    def standing(self) -> str:
        """Return in words whether it was checked, and if not, why the machine was not sure; empty where it was sure."""
        return "checked by a person" if self.checked else doubts(self.flags)

    @property
    def speakers(self) -> tuple[str | None, ...]:
        """Return who speaks, in order, everybody once; None for somebody unknown."""
        return tuple(dict.fromkeys(turn.speaker for turn in self.turns)) or (self.speaker,)

    @property
    def who(self) -> str:
        """Return who speaks, in words; empty where that is not known."""
        return ", then ".join(name or "somebody" for name in self.speakers) if any(self.speakers) else ""

    @property
    def path(self) -> str:
        """Return the site's address of the passage, without the site's base."""
        return Addresses().episode(self.episode, self.start)

    @property
    def quote(self) -> str:
        """Return the address of the passage as a quotation, without the site's base."""
        return Addresses().quote(self.rendition, self.start, self.end)

    @property
    def clock(self) -> str:
        """Return the start as ``m:ss`` or ``h:mm:ss``."""
        return clock(self.start)


@dataclass(frozen=True, slots=True)
class Results:
    """One page of hits, in ``order``, which is not always the one asked for.

    ``total`` is how many there are; where not all were counted (``exact`` is false), there are at least so many.
    ``next`` names the next page, if there is one: it goes on after the last hit, whatever has come in since.
    ``searched`` is the number of newest episodes looked through, where looking through all would have taken too long.
    """

    hits: tuple[Hit, ...] = ()
    total: int = 0
    exact: bool = True
    order: Order = "relevance"
    next: str | None = None
    searched: int | None = None

    def as_dict(self) -> dict[str, object]:
        """Return the page as it is printed with --json and sent by the JSON route."""
        return {
            "hits": [hit_as_dict(hit) for hit in self.hits],
            "total": self.total,
            "exact": self.exact,
            "order": self.order,
            "next": self.next,
            "searched": self.searched,
        }


def hit_as_dict(hit: Hit) -> dict[str, object]:
    """Return a hit as it is printed with --json and sent by the JSON route."""
    return {**hit._asdict(), "turns": [turn._asdict() for turn in hit.turns], "url": hit.path, "quote": hit.quote}


@dataclass(frozen=True, slots=True)
class Position:
    """Where a page begins: page ``page``, after the hit that begins at character ``begin`` of segment ``segment``."""

    page: int = 1
    segment: int | None = None
    begin: int = 0

    @classmethod
    def parse(cls, text: str | None) -> Position:
        """Read what ``Results.next`` gave, or a page's number; what is neither is the first page."""
        if text is None or not cls.is_named(text):
            return cls()
        page, *place = (int(part) for part in text.split("-"))
        return cls(page, *place)

    @staticmethod
    def is_named(text: str) -> bool:
        """Tell whether a text is a page's number, counting from 1, or what ``Results.next`` gave."""
        parts = text.split("-")
        numbers = all(part.isascii() and part.isdigit() and len(part) < 16 for part in parts)
        return len(parts) <= 3 and numbers and int(parts[0]) > 0

    def following(self, segment: int, begin: int = 0) -> str:
        """Return the name of the next page, of which the last hit before it is known."""
        return f"{self.page + 1}-{segment}-{begin}"


def marked(text: str, marks: Iterable[tuple[int, int]]) -> str:
    """Return ``text`` as HTML with these spans of characters, in order and apart, in ``<mark>``."""
    parts, position = [], 0
    for begin, end in marks:
        parts += [html.escape(text[position:begin]), "<mark>", html.escape(text[begin:end]), "</mark>"]
        position = end
    return "".join([*parts, html.escape(text[position:])])
