"""Which segments ask and answer which published questions, in the database. Decides nothing: ``pipeline.align`` does.

They are told when a transcript is aligned, and again when somebody says something else than was found: at once, in the
transaction in which that is recorded.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from sqlite_utils import Database

from pipeline.align.answers import in_force, label_segments
from pipeline.archive.listened import corrections_of
from pipeline.model import FollowUp, Label, Match, Segment


def save_labels(db: Database, transcript_id: int, labels: Mapping[int, Label]) -> None:
    """Label segments, by their numbers. ``question`` is the first of those that a segment is about."""
    db.conn.executemany(
        "update segments set role = ?, question = ?, questions = ? where transcript = ? and n = ?",
        (
            (label.role, min(label.questions, default=None), json.dumps(label.questions), transcript_id, n)
            for n, label in labels.items()
        ),
    )


def relabel(db: Database, episode: str) -> None:
    """Label the segments of the transcript that counts for an episode by what is in force of its questions.

    The database is in a transaction.
    """
    preferred = db.execute(
        "select id, rendition from transcripts where episode = ? and preferred = 1", [episode]
    ).fetchone()
    if preferred is None:
        return
    transcript, rendition = preferred
    segments, before = _labelled(db, transcript)
    corrections = corrections_of(db.conn, episode, rendition)
    matches, follow_ups = _matches(db, episode, transcript), _follow_ups(db, transcript)
    labels = label_segments(*in_force(matches, follow_ups, corrections, segments), segments)
    save_labels(db, transcript, {n: label for n, label in enumerate(labels) if label != before[n]})


def _labelled(db: Database, transcript_id: int) -> tuple[Sequence[Segment], Sequence[Label]]:
    rows = db.execute(
        'select start, "end", text, speaker, role, questions from segments where transcript = ? order by n',
        [transcript_id],
    ).fetchall()
    return (
        [Segment(start, end, text, speaker=speaker) for start, end, text, speaker, _, _ in rows],
        [Label(role, tuple(json.loads(questions))) for *_, role, questions in rows],
    )


def _matches(db: Database, episode: str, transcript_id: int) -> list[Match]:
    """What was found of each question of the list; nothing of one that nobody has looked for."""
    rows = db.execute(
        """select q.number, coalesce(m.status, 'not_asked'), m.start, m."end", m.answer_end, coalesce(m.confidence, 0)
           from questions q left join matches m on m.question = q.id and m.transcript = ?
           where q.episode = ? and q.number is not null order by q.number""",
        [transcript_id, episode],
    )
    return [Match(*row) for row in rows.fetchall()]


def _follow_ups(db: Database, transcript_id: int) -> list[FollowUp]:
    rows = db.execute(
        """select q.number, f.start, f."end", f.answer_end, f.text
           from follow_ups f join questions q on q.id = f.question
           where f.transcript = ? and q.number is not null order by f.n""",
        [transcript_id],
    )
    return [FollowUp(*row) for row in rows.fetchall()]
