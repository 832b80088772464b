"""Align each episode's published questions to its preferred transcript; without a list, make one."""

from __future__ import annotations

import hashlib
import json
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import BrokenExecutor, Executor, Future
from contextlib import suppress
from dataclasses import asdict, astuple, dataclass
from typing import Any

from sqlite_utils import Database

from pipeline.align import ALIGNER_VERSION, align
from pipeline.align.detect import detect
from pipeline.align.explain import explanation
from pipeline.align.meaning import Encode
from pipeline.archive.database import immediate
from pipeline.archive.listened import attributions_of, checks_of, corrections_of
from pipeline.archive.preferred import preferred_transcript
from pipeline.archive.questions.alignments import alignment_key, save_matches
from pipeline.archive.questions.lists import read_questions, save_questions
from pipeline.archive.segments import read_segments
from pipeline.config import Feed
from pipeline.errors import AlignmentError
from pipeline.model import ASKED, Attribution, Check, Correction, Episode, FollowUp, Match, Question, Segment
from pipeline.processes import processes
from pipeline.stages import Outcome, Tools
from pipeline.stages.together import raiser

AHEAD = 4  # alignments in progress or waiting to be stored, per process


@dataclass(frozen=True, slots=True)
class AlignTask:
    """The inputs of an alignment.

    Without a published list, ``questions`` are the previously detected ones if an editor corrected any, else empty.
    """

    episode: str
    transcript: int
    key: str
    questions: tuple[Question, ...]
    is_published: bool
    segments: tuple[Segment, ...]
    corrections: Mapping[int, Correction]


@dataclass(frozen=True, slots=True)
class Aligned:
    """The result of an alignment, before editors' corrections are applied.

    ``detected`` is a new list made in the absence of a published one; None keeps the existing list.
    """

    matches: tuple[Match, ...]
    follow_ups: tuple[FollowUp, ...] = ()
    detected: tuple[Question, ...] | None = None


def align_episode(tools: Tools, feed: Feed, episode: Episode) -> Outcome:  # noqa: ARG001 - every stage is called alike
    """Find when each question is asked, and say for each segment whether it asks or answers."""
    work = align_task(tools, episode)
    return work if isinstance(work, Outcome) else store(tools, work, aligned(work, tools.encode))


def align_together(
    tools: Tools, episodes: Iterable[tuple[Feed, Episode]], *, number: int
) -> Iterator[tuple[Feed, Episode, Callable[[], Outcome]]]:
    """Align many episodes in ``number`` processes; yield for each, in order, a function that stores the result.

    The database is read and written by this process alone.
    """
    with processes(number) as pool:
        waiting: deque[tuple[Feed, Episode, Callable[[], Outcome]]] = deque()
        for feed, episode in episodes:
            waiting.append((feed, episode, _submitted(tools, episode, pool)))
            if len(waiting) > AHEAD * number:
                yield waiting.popleft()
        yield from waiting


def _submitted(tools: Tools, episode: Episode, pool: Executor) -> Callable[[], Outcome]:
    """Submit an episode; the function returned waits for the result and stores it, or raises its error."""
    try:
        work = align_task(tools, episode)
    except Exception as error:  # noqa: BLE001 - it is this episode's failure alone
        return raiser(error)
    if isinstance(work, Outcome):
        return lambda: work
    with suppress(BrokenExecutor):
        future = pool.submit(aligned, work, tools.encode)
        return lambda: store(tools, work, _result(future, work, tools.encode))
    return lambda: store(tools, work, aligned(work, tools.encode))


def _result(future: Future[Aligned], work: AlignTask, encode: Encode | None) -> Aligned:
    try:
        return future.result()
    except BrokenExecutor:  # a process was killed; this one can do its work
        return aligned(work, encode)


def align_task(tools: Tools, episode: Episode) -> AlignTask | Outcome:
    """Return the inputs of an episode's alignment, or the outcome if there is nothing to do."""
    transcript = preferred_transcript(tools.db.conn, episode.id)
    if transcript is None:
        return Outcome("skipped", "no transcript yet")
    published = read_questions(tools.db, episode.id)
    corrections = corrections_of(tools.db.conn, episode.id, transcript.rendition)
    questions = published or (read_questions(tools.db, episode.id, detected=True) if corrections else ())
    listened: tuple[Check | Attribution, ...] = (
        *checks_of(tools.db.conn, transcript.rendition),
        *attributions_of(tools.db.conn, transcript.rendition),
    )
    key = _key(questions, corrections, listened, by_meaning=tools.encode is not None)
    if alignment_key(tools.db, transcript.id) == key and not tools.again:
        return Outcome("skipped", "already aligned", routine=True)
    segments = read_segments(tools.db, transcript.id)
    return AlignTask(episode.id, transcript.id, key, questions, bool(published), segments, corrections)


def explain_episode(db: Database, episode: str, encode: Encode | None) -> list[dict[str, Any]]:
    """Say of each question of an episode why it is found where it is; see ``pipeline.align.explain``.

    Raises:
        AlignmentError: there is no transcript, or no list of questions.
    """
    transcript = preferred_transcript(db.conn, episode)
    questions = read_questions(db, episode)
    if transcript is None or not questions:
        missing = "transcript yet: `transcribe` makes one" if transcript is None else "published list of questions"
        raise AlignmentError(f"{episode} has no {missing}; there is nothing to explain")
    corrections = corrections_of(db.conn, episode, transcript.rendition)
    segments = read_segments(db, transcript.id)
    return explanation(questions, align(questions, segments, encode=encode, corrections=corrections))


def aligned(work: AlignTask, encode: Encode | None) -> Aligned:
    """Compute an alignment; pure, so that it can run in another process."""
    if not work.is_published:
        questions, matches = detect(work.segments)
        # If a new transcript yields a different list, a list that an editor has worked on is kept and aligned instead.
        if not work.questions or questions == work.questions:
            return Aligned(matches, detected=questions)
    alignment = align(work.questions, work.segments, encode=encode, corrections=work.corrections)
    return Aligned(alignment.matches, alignment.follow_ups)


def store(tools: Tools, work: AlignTask, result: Aligned) -> Outcome:
    """Put an alignment into the database, and say what it was."""
    with immediate(tools.db):
        if result.detected is not None:
            save_questions(tools.db, work.episode, result.detected, source="detected")
        counting = save_matches(
            tools.db,
            work.episode,
            work.transcript,
            result.matches,
            follow_ups=result.follow_ups,
            key=work.key,
            now=tools.now(),
        )
    how = "" if tools.encode else ", by wording alone: no sentence vectors are installed"
    if not work.is_published:
        return Outcome("ok", f"no question list in the notes: {len(result.matches)} questions heard")
    asked = sum(match.status in ASKED for match in counting)
    unsure = sum(match.status == "uncertain" for match in counting)
    return Outcome(
        "ok", f"{asked} of {len(counting)} questions found" + (f", {unsure} uncertain" if unsure else "") + how
    )


def _key(
    questions: Iterable[Question],
    corrections: Mapping[int, Correction],
    listened: Iterable[Check | Attribution],
    *,
    by_meaning: bool,
) -> str:
    """A hash of an alignment's inputs besides the machine's transcript; the alignment is redone if it changes."""
    material = json.dumps(
        [
            ALIGNER_VERSION,
            by_meaning,
            # Without the times that are not stated, so that the keys of older alignments stay the same.
            [[value for value in astuple(question) if value is not None] for question in questions],
            [asdict(correction) for correction in corrections.values()],
            # Adds nothing if nobody said anything, so that the keys of older alignments stay the same.
            *_said(listened),
        ]
    )
    return hashlib.sha256(material.encode()).hexdigest()[:12]


def _said(listened: Iterable[Check | Attribution]) -> Iterator[list[object]]:
    for one in listened:
        what = [one.text] if isinstance(one, Check) else [one.name, one.everywhere]
        yield [one.start, one.end, *what]
