"""The questions an editor should review, with reasons: the aligner is unsure, or a correction was not carried over.

Only reads.
"""

from __future__ import annotations

import sqlite3
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from pipeline.archive.database import named_rows
from pipeline.archive.questions.asked import NEAR
from pipeline.model import ASKED

SURE = 0.85  # what is less sure than that is worth a look
REASONS = (  # the most urgent first
    "corrected in another recording",
    *("uncertain", "out of list order", "another place may be right", "not sure"),
    "not asked, or in very different words",
)


@dataclass(frozen=True, slots=True)
class Doubt:
    """A question that an editor should review, and why.

    ``runner_up`` is the start of the next likeliest place, in seconds.
    """

    episode: str
    title: str
    number: int
    text: str
    status: str
    start: float | None
    confidence: float
    reasons: tuple[str, ...]
    runner_up: float | None = None


_COLUMNS = ("episode", "title", "number", "text", "status", "start", "confidence", "runner_up")


def worth_a_look(connection: sqlite3.Connection, episode: str | None = None) -> tuple[Doubt, ...]:
    """Return the questions to review, most urgent first in the order of ``REASONS``.

    Among equally urgent ones the least certain comes first. Corrected questions are settled and not returned, but are
    taken into account for the list order.

    Args:
        connection: the archive.
        episode: an episode's id; None: all episodes.
    """
    cursor = named_rows(connection)
    rows = cursor.execute(
        """select t.episode, e.title, t.number, t.text, t.status, t.start, t.confidence, t.corrected,
           t.runner_up, t.runner_up_confidence, exists (
               select 1 from corrections_in_force c
               where c.question = t.question and c.rendition != t.rendition and not exists (
                   select 1 from corrections later where later.question = c.question
                       and later.rendition = t.rendition and later.made_at >= c.made_at
               )
           ) as corrected_elsewhere
       from question_times t join episodes e on e.id = t.episode
       where t.status is not null and (:episode is null or t.episode = :episode) order by t.episode, t.number""",
        {"episode": episode},
    ).fetchall()
    found = []
    for _, group in groupby(rows, key=lambda row: row["episode"]):
        listed = list(group)
        asked = [row for row in listed if row["status"] in ASKED and row["start"] is not None]
        misplaced = {asked[place]["number"] for place in _out_of_order([row["start"] for row in asked])}
        for row in listed:
            told = (
                row["corrected_elsewhere"],
                row["status"] == "uncertain",
                row["number"] in misplaced,
                (row["runner_up_confidence"] or 0) > NEAR,
                row["confidence"] < SURE,
                row["status"] == "not_asked" and row["runner_up"] is not None,
            )
            reasons = tuple(reason for reason, holds in zip(REASONS, told, strict=True) if holds)
            if reasons and not row["corrected"]:
                found.append(Doubt(**{name: row[name] for name in _COLUMNS}, reasons=reasons))
    return tuple(sorted(found, key=lambda one: (*(reason not in one.reasons for reason in REASONS), one.confidence)))


def _out_of_order(starts: Sequence[float]) -> set[int]:
    """The indices outside a longest non-decreasing subsequence: the fewest to remove for the rest to be in order."""
    tails: list[float] = []  # of the best run of each length, its last time,
    ends: list[int] = []  # and the place of that
    before: list[int | None] = []
    for n, start in enumerate(starts):
        length = bisect_right(tails, start)
        before.append(ends[length - 1] if length else None)
        tails[length : length + 1] = [start]
        ends[length : length + 1] = [n]
    kept: set[int] = set()
    place = ends[-1] if ends else None
    while place is not None:
        kept.add(place)
        place = before[place]
    return set(range(len(starts))) - kept
