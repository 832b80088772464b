"""The types a search takes and returns: filters, hits, pages of results. Touches no database."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple, get_args

from pipeline.flags import doubts
from pipeline.text import questions_named
from pipeline.times import clock

Order = Literal["relevance", "newest", "oldest"]
ORDERS: tuple[Order, ...] = get_args(Order)


@dataclass(frozen=True, slots=True)
class Filters:
    """Conditions besides the query. ``since`` and ``until`` are ISO dates (inclusive) of publication."""

    feed: str | None = None
    speaker: str | None = None
    role: str | None = None
    question: int | None = None
    since: str | None = None
    until: str | None = None


ANYTHING = Filters()


class Turn(NamedTuple):
    """One speaker's part of a passage with several speakers; ``html`` is escaped, with the hit in ``<mark>``."""

    speaker: str | None
    html: str


class Hit(NamedTuple):
    """One passage. ``start`` and ``end`` are seconds; ``html`` is ``text`` escaped, with the hit in ``<mark>``.

    ``speaker``, ``role``, ``question`` and ``questions`` are those of its first segment: ``questions`` are the numbers
    of the published questions it asks or answers, ``question`` the first of them. ``turns`` splits it by speaker if
    there are several, else it is empty. ``rendition`` is the sha256 of the recording that the times refer to;
    ``before`` and ``after`` are what the first and last speaker say around it. ``flags`` are its quality flags,
    ``checked`` tells whether an editor has listened to all of it.
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
        """Return as text which questions it asks or answers; empty if none."""
        named = questions_named(self.questions)
        return named and {"question": "", "answer": "answer to "}.get(self.role, "on ") + named

    @property
    def standing(self) -> str:
        """Return ``checked by a person``, or else the reasons for doubt as text; empty if there are none."""
        return "checked by a person" if self.checked else doubts(self.flags)

    @property
    def speakers(self) -> tuple[str | None, ...]:
        """Return the distinct speakers in order; None for an unknown one."""
        return tuple(dict.fromkeys(turn.speaker for turn in self.turns)) or (self.speaker,)

    @property
    def who(self) -> str:
        """Return the speakers as text; empty if unknown."""
        return ", then ".join(name or "somebody" for name in self.speakers) if any(self.speakers) else ""

    @property
    def clock(self) -> str:
        """Return the start as ``m:ss`` or ``h:mm:ss``."""
        return clock(self.start)


@dataclass(frozen=True, slots=True)
class Results:
    """One page of hits, in ``order``, which may differ from the order requested.

    ``total`` is the number of hits, or a lower bound if not ``exact``. ``next`` is the cursor of the next page, if any;
    it stays valid when episodes are added. ``searched`` is the number of newest episodes searched, if searching
    all of them would have taken too long.
    """

    hits: tuple[Hit, ...] = ()
    total: int = 0
    exact: bool = True
    order: Order = "relevance"
    next: str | None = None
    searched: int | None = None
