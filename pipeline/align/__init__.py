"""Published questions against a transcript. Knows nothing of audio, SQLite or HTTP."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
import numpy as np
from pipeline.align.lexical import clauses
from dataclasses import dataclass, replace

from pipeline.align.askings import Asking, answer_end, askings, closing, host_of, in_one_breath
from pipeline.align.candidates import Candidate, Wanted, candidates
from pipeline.align.decide import Decision, decide
from pipeline.align.evidence import BY_MEANING, BY_WORDS
from pipeline.align.meaning import Encode, directions
from pipeline.align.units import Unit, cut
from pipeline.align.windows import Windows
from pipeline.model import FollowUp, Match, Question, Role, Segment

__all__ = ["ALIGNER_VERSION", "Alignment", "align", "label_segments"]

# Raise this when a change may move a match: every episode is then aligned anew from its stored transcript.
ALIGNER_VERSION = 4
ASKED_PROBABILITY = 0.6
WORTH_NAMING = 0.4  # a place that is likelier than this is named, as uncertain
# Where only wording was compared: that it is not there says little of whether it was asked in quite other words.
MAX_NOT_ASKED_BY_WORDS = 0.5


@dataclass(frozen=True, slots=True)
class Alignment:
    """What was found in one transcript.

    Attributes:
        matches: One for each published question, in list order.
        follow_ups: What the host asked besides, in order of time.
        decisions: What the matches were made from, in the same order: for who wants to know why.
        units: The sentences that the decisions name by number.
    """

    matches: tuple[Match, ...]
    follow_ups: tuple[FollowUp, ...]
    decisions: tuple[Decision, ...]
    units: tuple[Unit, ...]


def align(questions: Sequence[Question], segments: Sequence[Segment], *, encode: Encode | None = None) -> Alignment:
    """Say for each published question when it is asked, and how sure that is.

    Args:
        questions: The list in published order.
        segments: The transcript in order of time; word times sharpen the result, speakers are not needed.
        encode: Gives sentence vectors; without it only wording is compared.

    Returns:
        The matches: ``asked`` and ``merged`` are meant to be right, ``uncertain`` names the best place, ``not_asked``
        names none. A confidence of 0.8 is meant to be right eight times in ten.
    """
    units = cut(segments)
    options = places_of(questions, units, encode)
    decisions = decide(options, BY_WORDS if encode is None else BY_MEANING)
    most_sure = MAX_NOT_ASKED_BY_WORDS if encode is None else 1.0
    found = [_found(question, decision, most_sure) for question, decision in zip(questions, decisions, strict=True)]
    places = {
        match.number: decision.places[0].candidate
        for match, decision in zip(found, decisions, strict=True)
        if match.start is not None
    }
    # Only what is sure ends the answer before it: a guess must not cut a right answer short.
    sure = {match.number: places[match.number] for match in found if match.status == "asked"}
    host = host_of(units, [place.last for place in sure.values()])
    besides = [
        asking for asking in askings(units, host) if not any(in_one_breath(asking, place) for place in sure.values())
    ]
    end = closing(units, host, [*sure.values(), *besides])
    matches = [
        _with_answer(match, places[match.number], sure, besides, end) if match.number in places else match
        for match in found
    ]
    follow_ups = [
        FollowUp(
            after,
            round(asking.start, 3),
            round(asking.end, 3),
            round(answer_end(asking, [*sure.values(), *besides], end), 3),
            " ".join(unit.text for unit in units[asking.first : asking.last + 1]),
        )
        for asking in besides
        if (after := _last_before(asking, sure)) and not any(in_one_breath(asking, place) for place in places.values())
    ]
    return Alignment(tuple(matches), tuple(follow_ups), tuple(decisions), units)


def places_of(questions: Sequence[Question], units: Sequence[Unit], encode: Encode | None) -> list[list[Candidate]]:
    """Return for each question where it may have been asked."""
    windows = Windows.of(units, encode)
    vectors = [_vectors(question.text, encode) for question in questions]
    return [
        candidates(Wanted(question.text, *vectors[n], expected=(n + 0.5) / len(questions)), windows)
        for n, question in enumerate(questions)
    ]


def _vectors(text, encode):
    if encode is None: return None, None
    whole, *parts = directions(encode([text, *clauses(text)]))
    return whole, np.array(parts)


def _found(question: Question, decision: Decision, most_sure: float) -> Match:
    """The match but for what depends on the others: where the answer ends, and what it is merged with."""
    best, *others = decision.places or (None,)
    if best is None or best.probability < WORTH_NAMING:
        return Match(question.number, "not_asked", confidence=round(min(decision.not_asked, most_sure), 3))
    runner_up = others[0] if others else None
    return Match(
        number=question.number,
        status="asked" if best.probability >= ASKED_PROBABILITY else "uncertain",
        start=round(best.candidate.start, 3),
        end=round(best.candidate.end, 3),
        confidence=round(best.probability, 3),
        runner_up=round(runner_up.candidate.start, 3) if runner_up else None,
        runner_up_confidence=round(runner_up.probability, 3) if runner_up else None,
    )


def _with_answer(
    match: Match, place: Asking, sure: Mapping[int, Asking], besides: Sequence[Asking], end: float
) -> Match:
    """The match with where its answer ends; what is asked in the same breath shares the answer."""
    others = {number: asking for number, asking in sure.items() if number != match.number}
    merged = [number for number, asking in others.items() if match.number in sure and in_one_breath(place, asking)]
    return replace(
        match,
        status="merged" if merged else match.status,
        answer_end=round(answer_end(place, [*others.values(), *besides], end), 3),
        merged_with=merged[0] if merged else None,
    )


def _last_before(asking: Asking, sure: Mapping[int, Asking]) -> int | None:
    """The number of the question that was asked last before this."""
    before = {number: one.start for number, one in sure.items() if one.start < asking.start}
    return max(before, key=lambda number: before[number], default=None)


def label_segments(alignment: Alignment, segments: Sequence[Segment]) -> tuple[tuple[Role, int | None], ...]:
    """Say for each segment whether it asks or answers a question, and which; by the segment's middle.

    A follow-up and its answer have the number of the question that it follows. What is uncertain labels nothing: a
    guess must not look like a fact in search results.
    """
    known = [
        (match.number, match.start, match.end, match.answer_end)
        for match in alignment.matches
        if match.status in {"asked", "merged"}
    ]
    known += [(one.after, one.start, one.end, one.answer_end) for one in alignment.follow_ups]
    labels: list[tuple[Role, int | None]] = []
    for segment in segments:
        middle = (segment.start + segment.end) / 2
        label: tuple[Role, int | None] = ("other", None)
        for number, start, end, until in known:
            if start is None or end is None or until is None:
                continue
            if start <= middle < end:
                label = ("question", number)
            elif end <= middle < until and label[0] == "other":
                label = ("answer", number)
        labels.append(label)
    return tuple(labels)
