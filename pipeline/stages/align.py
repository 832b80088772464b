"""Align one episode's published questions to its preferred transcript."""

from __future__ import annotations

import hashlib
import json

from pipeline.align import ALIGNER_VERSION, align, label_segments
from pipeline.archive.transcripts import alignment_key, read_questions, read_segments, save_matches
from pipeline.config import Feed
from pipeline.model import Question
from pipeline.stages import Episode, Outcome, Tools


def align_episode(tools: Tools, feed: Feed, episode: Episode) -> Outcome:  # noqa: ARG001 - every stage is called alike
    """Find when each published question is asked, and say for each segment whether it asks or answers."""
    transcript = tools.db.execute(
        "select id from transcripts where episode = ? and preferred = 1", [episode.id]
    ).fetchone()
    if transcript is None:
        return Outcome("skipped", "no transcript yet")
    questions = read_questions(tools.db, episode.id)
    if not questions:
        return Outcome("skipped", "no question list in the notes", routine=True)
    key = _key(questions)
    if alignment_key(tools.db, transcript[0]) == key and not tools.again:
        return Outcome("skipped", "already aligned", routine=True)
    segments = read_segments(tools.db, transcript[0])
    matches = align(questions, segments)
    labels = label_segments(matches, segments)
    save_matches(tools.db, episode.id, transcript[0], matches, labels, key=key, now=tools.now())
    found = [match for match in matches if match.status in {"asked", "merged"}]
    unsure = sum(match.status == "uncertain" for match in matches)
    return Outcome(
        "ok", f"{len(found)} of {len(matches)} questions found" + (f", {unsure} uncertain" if unsure else "")
    )


def _key(questions: tuple[Question, ...]) -> str:
    """Names what an alignment was made from besides the transcript: it is made anew when this changes."""
    material = json.dumps([ALIGNER_VERSION, [(question.number, question.text) for question in questions]])
    return hashlib.sha256(material.encode()).hexdigest()[:12]
