"""Stores the match in force for each question and the labels of segments; ``pipeline.align`` computes both.

Both are recomputed when a transcript is aligned and whenever an editor changes something, in the same transaction.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple, fields
from typing import Literal

from sqlite_utils import Database

from pipeline.align.corrected import corrected_matches
from pipeline.align.labels import label_segments
from pipeline.archive.joins import PLAYED
from pipeline.archive.listened import corrections_of
from pipeline.model import FollowUp, Label, Match, Segment

# The columns of both tables of matches that have what a ``Match`` has, but for the question's number; in its order.
_MATCH = tuple(f'"{field.name}"' for field in fields(Match))[1:]


def relabel(db: Database, episode: str) -> tuple[Match, ...]:
    """Recompute and store an episode's matches in force, and label the segments of its preferred transcript.

    Must be called within a transaction. Returns the match in force for each listed question.
    """
    transcript, rendition = _counting(db, episode)
    corrections = corrections_of(db.conn, episode, rendition) if rendition else {}
    found, follow_ups = _matches(db, episode, transcript), _follow_ups(db, transcript)
    segments, before = _labelled(db, transcript)
    # A question that was not aligned yet has no match, unless an editor corrected it.
    matches = [found.get(number, Match(number, "not_asked")) for number in _numbers(db, episode)]
    counting, besides = corrected_matches(matches, follow_ups, corrections, segments)
    known = [one for one in counting if one.number in found or one.number in corrections]
    db.execute("delete from matches_in_force where question in (select id from questions where episode = ?)", [episode])
    insert_matches(db, "matches_in_force", episode, ((one.number in corrections, one) for one in known))
    labels = label_segments(counting, besides, segments)
    _save_labels(db, transcript, {n: label for n, label in enumerate(labels) if label != before[n]})
    return counting


def _counting(db: Database, episode: str) -> tuple[int | None, str | None]:
    """An episode's preferred transcript and its recording; without one, None and the current recording."""
    found = db.execute(f"select t.id, r.sha256 from episodes e {PLAYED} where e.id = ?", [episode]).fetchone()
    return (found[0], found[1]) if found else (None, None)


def insert_matches(
    db: Database, table: Literal["matches", "matches_in_force"], episode: str, matches: Iterable[tuple[int, Match]]
) -> None:
    """Insert matches of an episode's questions, each with its transcript's id, or with whether it was corrected."""
    beside = "transcript" if table == "matches" else "corrected"
    marks = ", ".join("?" for _ in _MATCH)
    db.conn.executemany(
        f"""insert into {table} (question, {beside}, {", ".join(_MATCH)})
           select id, ?, {marks} from questions where episode = ? and number = ?""",
        ((which, *astuple(match)[1:], episode, match.number) for which, match in matches),
    )


def _save_labels(db: Database, transcript_id: int | None, labels: Mapping[int, Label]) -> None:
    """Store labels by segment number; ``question`` is the lowest of ``questions``."""
    db.conn.executemany(
        "update segments set role = ?, question = ?, questions = ? where transcript = ? and n = ?",
        (
            (label.role, min(label.questions, default=None), json.dumps(label.questions), transcript_id, n)
            for n, label in labels.items()
        ),
    )


def _labelled(db: Database, transcript_id: int | None) -> tuple[Sequence[Segment], Sequence[Label]]:
    rows = db.execute(
        'select start, "end", text, speaker, role, questions from segments where transcript = ? order by n',
        [transcript_id],
    ).fetchall()
    return (
        [Segment(start, end, text, speaker=speaker) for start, end, text, speaker, _, _ in rows],
        [Label(role, tuple(json.loads(questions))) for *_, role, questions in rows],
    )


def _numbers(db: Database, episode: str) -> list[int]:
    rows = db.execute(
        "select number from questions where episode = ? and number is not null order by number", [episode]
    )
    return [row[0] for row in rows.fetchall()]


def _matches(db: Database, episode: str, transcript_id: int | None) -> dict[int, Match]:
    """The stored matches of listed questions, by number; questions not aligned yet are missing."""
    rows = db.execute(
        f"""select q.number, {", ".join(_MATCH)}
           from questions q join matches m on m.question = q.id and m.transcript = ?
           where q.episode = ? and q.number is not null""",
        [transcript_id, episode],
    )
    return {row[0]: Match(*row) for row in rows.fetchall()}


def _follow_ups(db: Database, transcript_id: int | None) -> list[FollowUp]:
    rows = db.execute(
        """select q.number, f.start, f."end", f.answer_end, f.text
           from follow_ups f join questions q on q.id = f.question
           where f.transcript = ? and q.number is not null order by f.n""",
        [transcript_id],
    )
    return [FollowUp(*row) for row in rows.fetchall()]
