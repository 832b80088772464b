"""Explaining why a question was found where it was: the evidence for the place found and for the runner-up."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from textwrap import shorten
from typing import Any

from pipeline.align import Alignment
from pipeline.align.decide import Decision, Place
from pipeline.model import Match, Question
from pipeline.times import clock

MOST_TEXT = 100  # characters of what was said, in the table


def explanation(questions: Sequence[Question], alignment: Alignment) -> list[dict[str, Any]]:
    """Return the decision on each question and the reasons for it, as plain JSON.

    ``places`` has the place found, or the likeliest, and the runner-up. Their ``evidence`` has for each piece its
    ``value`` and its contribution, ``log_odds``; these add up to the ``log_odds`` of the place by itself, while
    ``probability`` also depends on list order and the other questions. ``part`` is the part of the question that is
    asked there, None for all of it; ``in_other_words`` tells whether it was found by other evidence than its wording.
    ``corrected`` has the status and start that an editor gave it, if one did; the rest is without its correction.
    """
    return [
        {
            "number": question.number,
            "question": question.text,
            "status": match.status,
            "confidence": match.confidence,
            "start": match.start,
            "not_asked": round(decision.not_asked, 3),
            "corrected": {"status": counts.status, "start": counts.start} if _is_corrected(counts, match) else None,
            "places": [_place(question, place, decision, alignment) for place in decision.places[:2]],
        }
        for question, match, counts, decision in zip(
            questions, alignment.matches, alignment.in_force, alignment.decisions, strict=True
        )
    ]


def _place(question: Question, place: Place, decision: Decision, alignment: Alignment) -> dict[str, Any]:
    candidate = place.candidate
    if place.hints is None:
        shares = list(alignment.weights.shares(candidate.evidence, decision.usual))
    else:
        shares = list(alignment.hint_weights.shares(place.hints))
    said = " ".join(unit.text for unit in alignment.units[candidate.first : candidate.last + 1])
    return {
        "start": round(candidate.start, 3),
        "end": round(candidate.end, 3),
        "probability": round(place.probability, 3),
        "text": said,
        "part": None if candidate.wording == question.text else candidate.wording,
        "in_other_words": place.hints is not None,
        "log_odds": round(sum(share for _, _, share in shares), 2),
        "evidence": {name: {"value": round(value, 3), "log_odds": round(share, 2)} for name, value, share in shares},
    }


def _is_corrected(counts: Match, match: Match) -> bool:
    """Whether an editor spoke of the question itself; a correction of a neighbour may only end its answer earlier."""
    return (counts.status, counts.start, counts.confidence) != (match.status, match.start, match.confidence)


def table(explained: Sequence[dict[str, Any]]) -> Iterator[str]:
    """Yield the same as lines of text."""
    for one in explained:
        yield f"{one['number']}. {one['question']}"
        yield f"   {one['status'].replace('_', ' ')}, {one['confidence']:.0%} sure"
        if one["corrected"]:
            start = one["corrected"]["start"]
            yield f"   an editor says: {'not asked' if start is None else f'asked at {clock(start)}'}"
        places = one["places"]
        first = "likeliest" if one["start"] is None else "found"
        for name, place in zip((first, "next best"), places, strict=False):
            said = shorten(place["text"], MOST_TEXT, placeholder=" …")
            yield f"   {name:9} {clock(place['start']):>7}  {place['probability']:4.0%}  {said}"
            if place["part"]:
                yield f"   {'':9} {'':7}        only this part: {shorten(place['part'], MOST_TEXT, placeholder=' …')}"
            if place["in_other_words"]:
                yield f"   {'':9} {'':7}        in other words"
        if places:
            yield f"   {'evidence':24}" + "".join(f"{clock(place['start']):>16}" for place in places)
            for name in [*dict.fromkeys(name for place in places for name in place["evidence"]), "together"]:
                yield f"   {name.replace('_', ' '):24}" + "".join(_cell(place, name) for place in places)
        yield ""


def _cell(place: dict[str, Any], name: str) -> str:
    if name == "together":
        return f"{place['log_odds']:+16.2f}"
    piece = place["evidence"].get(name)
    if piece is None:
        return f"{'—':>16}"
    return f"{piece['value']:8.2f}{piece['log_odds']:+8.2f}"
