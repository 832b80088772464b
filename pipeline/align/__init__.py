"""Published questions against a transcript. Knows nothing of audio, SQLite or HTTP."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.align.candidates import Candidate, candidates
from pipeline.align.decide import decide
from pipeline.align.units import cut
from pipeline.model import Match, MatchStatus, Question, Role, Segment

__all__ = ["ALIGNER_VERSION", "align", "label_segments"]

# Raise this when a change may move a match: every episode is then aligned anew from its stored transcript.
ALIGNER_VERSION = 3
ASKED_PROBABILITY = 0.5
# That the wording is not there says little of whether a question was asked in quite other words.
MAX_NOT_ASKED_CONFIDENCE = 0.5


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
    options = [candidates(question.text, units) for question in questions]
    chosen = decide(options)
    end_of_speech = units[-1].end if units else 0.0
    # Only what is sure ends the answer before it: a guess must not cut a right answer short.
    sure = sorted({candidate.start for candidate in chosen if candidate and _is_sure(candidate)})
    matches: list[Match] = []
    for question, places, candidate in zip(questions, options, chosen, strict=True):
        if candidate is None:
            best = places[0].probability if places else 0.0
            confidence = min(1 - best, MAX_NOT_ASKED_CONFIDENCE)
            matches.append(Match(question.number, "not_asked", confidence=round(confidence, 3)))
            continue
        following = next((start for start in sure if start > candidate.start), end_of_speech)
        matches.append(_match(question, candidate, following, _merged_with(question, candidate, questions, chosen)))
    return tuple(matches)


def _is_sure(candidate: Candidate) -> bool:
    return candidate.probability >= ASKED_PROBABILITY


def _match(question: Question, candidate: Candidate, following: float, merged_with: int | None) -> Match:
    """``following`` is when the next sure question is asked, or speech ends."""
    status: MatchStatus = "uncertain"
    if _is_sure(candidate):
        status = "merged" if merged_with else "asked"
    return Match(
        number=question.number,
        status=status,
        start=round(candidate.start, 3),
        end=round(min(candidate.end, following), 3),
        answer_end=round(following, 3),
        confidence=round(candidate.probability, 3),
        merged_with=merged_with if status == "merged" else None,
    )


def _merged_with(
    question: Question, candidate: Candidate, questions: Sequence[Question], chosen: Sequence[Candidate | None]
) -> int | None:
    """The number of another question that is surely asked in the same sentences, if there is one."""
    for other, place in zip(questions, chosen, strict=True):
        if other is question or place is None or not _is_sure(place):
            continue
        if place.first <= candidate.last and candidate.first <= place.last:
            return other.number
    return None


def label_segments(matches: Sequence[Match], segments: Sequence[Segment]) -> tuple[tuple[Role, int | None], ...]:
    """Say for each segment whether it asks or answers a question, and which; by the segment's middle.

    What is uncertain labels nothing: a guess must not look like a fact in search results.
    """
    known = [match for match in matches if match.status in {"asked", "merged"}]
    labels: list[tuple[Role, int | None]] = []
    for segment in segments:
        middle = (segment.start + segment.end) / 2
        label: tuple[Role, int | None] = ("other", None)
        for match in known:
            if match.start is None or match.end is None or match.answer_end is None:
                continue
            if match.start <= middle < match.end:
                label = ("question", match.number)
            elif match.end <= middle < match.answer_end and label[0] == "other":
                label = ("answer", match.number)
        labels.append(label)
    return tuple(labels)
