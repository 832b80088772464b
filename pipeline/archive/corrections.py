"""Editors' corrections of when questions are asked: storing, undoing and reading them. Aligns and renders nothing.

Of several corrections of a question, the newest that was not undone is in force.
"""

from __future__ import annotations

import math
import sqlite3
from dataclasses import asdict, dataclass, replace

from sqlite_utils import Database

from pipeline.align.askings import ONE_BREATH
from pipeline.archive import records
from pipeline.archive.database import immediate
from pipeline.archive.questions.labels import relabel
from pipeline.archive.records import append, seal
from pipeline.errors import CorrectionError
from pipeline.model import Correction, MatchStatus, Signature
from pipeline.times import exactly

STATUSES: tuple[MatchStatus, ...] = ("asked", "not_asked")


@dataclass(frozen=True, slots=True)
class CorrectionEntry:
    """A row of a question's history: a correction, or an undo of the earlier one that it ``undoes``.

    ``here`` is true if it belongs to the recording the question's times refer to, ``counts`` if it is in force. A
    question that its list does not have any more has no ``number``; what is said of it is kept, and counts for nothing.
    """

    id: int
    number: int | None
    question: str
    rendition: str
    status: str | None
    start: float | None
    end: float | None
    answer_end: float | None
    note: str | None
    editor: str | None
    made_at: str
    undoes: int | None
    undone: bool
    here: bool
    counts: bool

    @property
    def summary(self) -> str:
        """Return a one-line description of the correction."""
        if self.undoes is not None:
            return "undone"
        if self.status == "not_asked" or self.start is None:
            return (self.status or "asked").replace("_", " ")
        until = f" to {exactly(self.end)}" if self.end is not None else ""
        answered = f", answer to {exactly(self.answer_end)}" if self.answer_end is not None else ""
        return f"asked at {exactly(self.start)}{until}{answered}"


def correct(db: Database, episode: str, correction: Correction, *, seen: str | None = None) -> None:
    """Store a correction for the transcribed recording (or else the current one); it takes effect at once.

    A correction with status ``asked`` but no ``start`` confirms the question's current time.

    Args:
        db: the database.
        episode: the episode's id.
        correction: what the editor says.
        seen: the question's version tag (see ``seals``) when the editor looked at it; None to correct it regardless.

    Raises:
        CorrectionError: there is no such question or no recording, a value makes no sense, or the question has changed
            since it was seen (the message names the correction now in force and its editor).
    """
    with immediate(db):
        if seen is not None:
            _refuse_unseen(db, episode, correction.number, seen)
        question, rendition, start = _standing(db, episode, correction.number)
        if correction.status == "asked" and correction.start is None:
            if start is None:
                raise CorrectionError(f"start: question {correction.number} has no time to confirm; give one")
            end, answer_end = _ends(db, question, rendition)
            correction = replace(
                correction,
                start=start,
                end=end if correction.end is None else correction.end,
                answer_end=answer_end if correction.answer_end is None else correction.answer_end,
            )
        (duration,) = db.execute(
            "select duration from renditions where sha256 = ? and episode = ?", [rendition, episode]
        ).fetchone()
        check(correction, duration)
        said = asdict(correction)
        del said["number"]  # a list may be renumbered; the id stays
        append(db, "corrections", {"question": question, "rendition": rendition, **said})
        relabel(db, episode)


def check(correction: Correction, duration: float) -> None:
    """Refuse values that cannot be right in a recording of ``duration`` seconds.

    Raises:
        CorrectionError: naming the field.
    """
    if correction.status not in STATUSES:
        raise CorrectionError(f"status: “{correction.status}” is not one of {', '.join(STATUSES)}")
    earliest, before = 0.0, "the beginning"
    for name, time in (("start", correction.start), ("end", correction.end), ("answer_end", correction.answer_end)):
        if time is None:
            continue
        if correction.status == "not_asked":
            raise CorrectionError(f"{name}: a question that is not asked has no time; leave it out")
        if not math.isfinite(time):
            raise CorrectionError(f"{name}: {time} is not a time")
        if time > duration:
            raise CorrectionError(f"{name}: {exactly(time)} is past the end of the recording, {exactly(duration)}")
        if time < earliest:
            raise CorrectionError(f"{name}: {exactly(time) if time >= 0 else f'{time:g} s'} is before {before}")
        earliest, before = time, f"{name}, {exactly(time)}"


def undo(db: Database, episode: str, number: int, signature: Signature, *, only: int | None = None) -> None:
    """Undo a question's correction in force; the previous one, or the match found, takes effect again.

    Args:
        db: the database.
        episode: the episode's id.
        number: the question's number.
        signature: of who undoes it.
        only: undo only if this is the id of the correction in force; it may have changed since it was displayed.

    Raises:
        CorrectionError: there is nothing to undo, or another correction counts now.
    """
    with immediate(db):
        question, rendition, _ = _standing(db, episode, number)
        found = db.execute(
            "select id from corrections_in_force where question = ? and rendition = ?", [question, rendition]
        ).fetchone()
        if found is None:
            raise CorrectionError(f"question {number} of {episode} has no correction to undo")
        undone = found[0] if only is None else only
        about = {"question": question, "rendition": rendition}
        records.undo(db, "corrections", undone, signature, among=found, of=about)
        relabel(db, episode)


def seals(db: Database | sqlite3.Connection, episode: str) -> dict[int, str]:
    """Return a version tag per question number, which changes with the question's start, recording or correction.

    The tag is the id of the correction in force, if any, and a digest of the recording and the start. Ends are left
    out on purpose: correcting one question moves its neighbours' ends, and an editor may be working on both.
    """
    rows = db.execute(
        """select t.number, t.rendition, t.start, c.id from question_times t
           left join corrections_in_force c on c.question = t.question and c.rendition = t.rendition
           where t.episode = ?""",
        [episode],
    )
    return {number: f"{correction or ''}-{seal(standing)}" for number, *standing, correction in rows}


def _refuse_unseen(db: Database, episode: str, number: int, seen: str) -> None:
    """Raise unless a question still has the time and recording that the editor was shown."""
    standing = seals(db, episode).get(number, "")
    if standing == seen:
        return
    entries = [entry for entry in history(db, episode) if entry.number == number and entry.here]
    last = next((entry for entry in entries if entry.counts), next(iter(entries), None))
    if last is None or standing.partition("-")[0] == seen.partition("-")[0]:
        raise CorrectionError(
            f"the recording or time of question {number} has changed since you loaded this page; look at it again"
        )
    raise CorrectionError(
        f"question {number} has been corrected since you loaded this page: {last.summary} "
        f"by {last.editor or 'somebody'}; look at that first"
    )


def doubt_at(db: Database | sqlite3.Connection, episode: str, second: float | None) -> str | None:
    """Say that a guest speaks at a time, unless a host speaks there or within ``ONE_BREATH`` seconds; else None."""
    if second is None:
        return None
    rows = db.execute(
        """select s.speaker, p.role from segments s
           join transcripts t on t.id = s.transcript and t.preferred = 1
           join speakers p on p.transcript = t.id and p.label = s.speaker
           where t.episode = ? and s."end" > ? and s.start <= ? order by s.n""",
        [episode, second, second + ONE_BREATH],
    ).fetchall()
    if not rows or rows[0][1] != "guest" or "host" in {role for _, role in rows}:
        return None
    return f"{rows[0][0]}, a guest, is speaking there: listen again to make sure it is asked there"


def history(db: Database | sqlite3.Connection, episode: str) -> tuple[CorrectionEntry, ...]:
    """Return every correction of an episode's questions, of all its recordings, the newest first."""
    rows = db.execute(
        """select c.id, q.number, q.text, c.rendition, c.status, c.start, c."end", c.answer_end, c.note, c.editor,
               c.made_at, c.undoes, exists (select 1 from corrections where undoes = c.id),
               coalesce(c.rendition = t.rendition, 0),
               coalesce(c.rendition = t.rendition, 0)
                   and c.id in (select id from corrections_in_force where question = c.question)
           from corrections c join questions q on q.id = c.question left join question_times t on t.question = q.id
           where q.episode = ? order by c.id desc""",
        [episode],
    )
    return tuple(CorrectionEntry(*(*row[:-3], *map(bool, row[-3:]))) for row in rows)


def question_number(db: Database, episode: str, question: str) -> int:
    """Return the number that a question has in its episode's list now.

    Raises:
        CorrectionError: the episode has no such question.
    """
    found = db.execute(
        "select number from questions where id = ? and episode = ? and number is not null", [question, episode]
    ).fetchone()
    if found is None:
        raise CorrectionError(f"question: {episode} has no question “{question}” in its list; look at its page again")
    return int(found[0])


def _ends(db: Database, question: str, rendition: str) -> tuple[float | None, float | None]:
    """The ends of the asking and of the answer, as far as the correction in force gives them."""
    found = db.execute(
        """select "end", answer_end from corrections_in_force
           where question = ? and rendition = ? and start is not null""",
        [question, rendition],
    ).fetchone()
    return found or (None, None)


def _standing(db: Database, episode: str, number: int) -> tuple[str, str, float | None]:
    """A question's id, the recording its times refer to, and its start if known."""
    found = db.execute(
        "select question, rendition, start from question_times where episode = ? and number = ?", [episode, number]
    ).fetchone()
    if found is None:
        (count,) = db.execute("select count(*) from question_times where episode = ?", [episode]).fetchone()
        raise CorrectionError(
            f"question: {episode} has no question {number}; "
            + (f"its list has {count}" if count else "it has no list of questions")
        )
    question, rendition, start = found
    if rendition is None:
        raise CorrectionError(f"{episode}: its audio is not kept yet; run `python -m pipeline ingest` first")
    return question, rendition, start
