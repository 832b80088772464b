"""Align one episode's published questions to its preferred transcript."""

from __future__ import annotations

import hashlib
import json

from pipeline.align import ALIGNER_VERSION, align, label_segments
from pipeline.archive.transcripts import (
    alignment_key,
    preferred_transcript,
    read_questions,
    read_segments,
    save_matches,
)
from pipeline.config import Feed
from pipeline.model import Episode, Question
from pipeline.stages import Outcome, Tools


def align_episode(tools: Tools, feed: Feed, episode: Episode) -> Outcome:  # noqa: ARG001 - every stage is called alike
    """Find when each published question is asked, and say for each segment whether it asks or answers."""
    transcript = preferred_transcript(tools.db, episode.id)
    if transcript is None:
        return Outcome("skipped", "no transcript yet")
    questions = read_questions(tools.db, episode.id)
    if not questions:
        return Outcome("skipped", "no question list in the notes", routine=True)
    key = _key(questions)
    if alignment_key(tools.db, transcript) == key and not tools.again:
        return Outcome("skipped", "already aligned", routine=True)
    segments = read_segments(tools.db, transcript)
    matches = align(questions, segments)
    labels = label_segments(matches, segments)
    save_matches(tools.db, episode.id, transcript, matches, labels, key=key, now=tools.now())
    found = [match for match in matches if match.status in {"asked", "merged"}]
    unsure = sum(match.status == "uncertain" for match in matches)
    return Outcome(
        "ok", f"{len(found)} of {len(matches)} questions found" + (f", {unsure} uncertain" if unsure else "")
    )


def _key(questions: tuple[Question, ...]) -> str:
    """Names what an alignment was made from besides the transcript: it is made anew when this changes."""
    material = json.dumps([ALIGNER_VERSION, [(question.number, question.text) for question in questions]])
    return hashlib.sha256(material.encode()).hexdigest()[:12]
