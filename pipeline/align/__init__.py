"""Published questions against a transcript. Knows nothing of audio, SQLite or HTTP."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from pipeline.align.candidates import Candidate, candidates
from pipeline.align.decide import decide
from pipeline.align.units import cut
from pipeline.model import Match, Question, Role, Segment

__all__ = ["ALIGNER_VERSION", "align", "label_segments"]

# Raise this when a change may move a match: every episode is then aligned anew from its stored transcript.
ALIGNER_VERSION = 1
ASKED_PROBABILITY = 0.5


def align(questions: Sequence[Question], segments: Sequence[Segment]) -> tuple[Match, ...]:
    """Say for each published question when it is asked, and how sure that is.

    Args:
        questions: the list in published order.
        segments: the transcript in order of time; word times sharpen the result, speakers are not needed.

    Returns:
        One match for each question, in the same order. ``asked`` and ``merged`` are meant to be right, ``uncertain``
        names the best place, ``not_asked`` names none.
    """
    units = cut(segments)
    chosen = decide([candidates(question.text, units) for question in questions])
    end_of_speech = units[-1].end if units else 0.0
    starts = sorted({candidate.start for candidate in chosen if candidate})
    answer_ends = dict(pairwise([*starts, end_of_speech]))
    matches: list[Match] = []
    for question, candidate in zip(questions, chosen, strict=True):
        matches.append(_match(question, candidate, answer_ends, _merged_with(candidate, questions, chosen)))
    return tuple(matches)


def _match(
    question: Question, candidate: Candidate | None, answer_ends: dict[float, float], merged: int | None
) -> Match:
    if candidate is None:
        return Match(question.number, "not_asked")
    sure = candidate.probability >= ASKED_PROBABILITY
    return Match(
        number=question.number,
        status=("merged" if merged else "asked") if sure else "uncertain",
        start=round(candidate.start, 3),
        end=round(min(candidate.end, answer_ends[candidate.start]), 3),
        answer_end=round(answer_ends[candidate.start], 3),
        confidence=round(candidate.probability, 3),
        merged_with=merged if sure else None,
    )


def _merged_with(
    candidate: Candidate | None, questions: Sequence[Question], chosen: Sequence[Candidate | None]
) -> int | None:
    """The number of an earlier question of the list that is asked in the same sentences."""
    for question, other in zip(questions, chosen, strict=True):
        if candidate is None or other is candidate:
            return None
        if other and other.first <= candidate.last and candidate.first <= other.last:
            return question.number
    return None


def label_segments(matches: Sequence[Match], segments: Sequence[Segment]) -> tuple[tuple[Role, int | None], ...]:
    """Say for each segment whether it asks or answers a question, and which; by the segment's middle."""
    labels: list[tuple[Role, int | None]] = []
    for segment in segments:
        middle = (segment.start + segment.end) / 2
        label: tuple[Role, int | None] = ("other", None)
        for match in matches:
            if match.start is None or match.end is None or match.answer_end is None:
                continue
            if match.start <= middle < match.end:
                label = ("question", match.number)
            elif match.end <= middle < match.answer_end and label[0] == "other":
                label = ("answer", match.number)
        labels.append(label)
    return tuple(labels)
