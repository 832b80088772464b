"""Where the answers to found questions end, what was asked together, and what was asked besides the list."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import takewhile
from typing import TypeVar

from pipeline.align.askings import ONE_BREATH, Asking, answer_end, are_merged, askings, closing, host_of, in_one_breath
from pipeline.align.units import Unit
from pipeline.model import Correction, FollowUp, Label, Match, Role, Segment

_Asked = TypeVar("_Asked", Match, FollowUp)


def with_answers(
    matches: Sequence[Match],
    places: Mapping[int, Asking],
    units: Sequence[Unit],
    *,
    certain: Collection[int] = (),
) -> tuple[tuple[Match, ...], tuple[FollowUp, ...]]:
    """Complete matches with where the answers end and with what they are merged, and find the follow-up questions.

    Args:
        matches: With their starts and ends; ``asked``, ``uncertain`` or ``not_asked``.
        places: Where each question that has a time is asked, by number.
        units: The transcript.
        certain: Numbers of the questions whose times an editor gave: they are not merged with what is near.
    """
    sure = {match.number: places[match.number] for match in matches if match.status == "asked"}
    host = host_of(units, [place.last for place in sure.values()])
    spoken = askings(units, host)
    besides = [asking for asking in spoken if not any(in_one_breath(asking, place) for place in places.values())]
    # A place that is only a guess must not cut a right answer short, unless the host asks there whatever it is.
    ending = besides + [
        place
        for number, place in places.items()
        if number in sure or any(in_one_breath(asking, place) for asking in spoken)
    ]
    end = closing(units, host, ending)

    def complete(match: Match) -> Match:
        if match.number not in places:
            return match
        merged = {number: sure[number] for number in _merged_with(match.number, sure, units) if number not in certain}
        if match.number in certain:
            merged = {}
        asked = [places[match.number], *merged.values()]
        return replace(
            match,
            status="merged" if merged else match.status,
            start=round(min(one.start for one in asked), 3),
            end=round(max(one.end for one in asked), 3),
            answer_end=round(max(answer_end(one, ending, end) for one in asked), 3),
            merged_with=min(merged, default=None),
        )

    follow_ups = [
        FollowUp(
            after,
            round(asking.start, 3),
            round(asking.end, 3),
            round(answer_end(asking, ending, end), 3),
            " ".join(unit.text for unit in units[asking.first : asking.last + 1]),
        )
        for asking in besides
        if (after := _last_before(asking, places)) is not None
    ]
    return tuple(map(complete, matches)), tuple(follow_ups)


def _merged_with(number: int, sure: Mapping[int, Asking], units: Sequence[Unit]) -> list[int]:
    """The numbers of the questions that are asked as one with this."""
    return [
        other for other in sure if number in sure and other != number and are_merged(sure[number], sure[other], units)
    ]


def _last_before(asking: Asking, places: Mapping[int, Asking]) -> int | None:
    """The number of the question that was asked last before this."""
    before = {number: one.start for number, one in places.items() if one.start < asking.start}
    return max(before, key=lambda number: before[number], default=None)


def in_force(
    matches: Sequence[Match],
    follow_ups: Sequence[FollowUp],
    corrections: Mapping[int, Correction],
    segments: Sequence[Segment],
) -> tuple[tuple[Match, ...], tuple[FollowUp, ...]]:
    """Return what counts since an editor corrected some of what was found, until all is decided anew given that.

    What the editor left open is as it was found where the question was moved within its asking; else that goes on as
    long as the one who speaks there. An answer ends where something else is asked, unless the editor said when.

    Args:
        matches: as they were found; not as ``with_answers`` completes them given the corrections.
        follow_ups: as they were found.
        corrections: by question number.
        segments: the transcript.
    """
    last = max([0.0, *(one.answer_end or 0.0 for one in matches), *(one.answer_end for one in follow_ups)])
    sure = [one.start for one in matches if one.status != "uncertain" and one.number not in corrections]
    starts = [start for start in (*sure, *(one.start for one in corrections.values())) if start is not None]
    found = [
        _corrected(match, corrections[match.number], segments, starts, last) if match.number in corrections else match
        for match in matches
    ]
    placed = [match for match in found if match.start is not None]
    # What followed up on a question that was moved, or moved back, may follow another one now, or be that one itself.
    besides = [
        replace(one, after=max(before, key=_start).number)
        for one in follow_ups
        if not any(_share_answer(one, match) for match in placed)
        and (before := [match for match in placed if _start(match) < one.start])
    ]
    askings: list[Match | FollowUp] = [*(one for one in placed if one.status != "uncertain"), *besides]
    given = {number for number, one in corrections.items() if one.answer_end is not None}
    return (
        tuple(one if one.number in given else _cut_short(one, askings) for one in found),
        tuple(_cut_short(one, askings) for one in besides),
    )


def _corrected(
    match: Match, correction: Correction, segments: Sequence[Segment], starts: Sequence[float], last: float
) -> Match:
    start, end, until = correction.start, correction.end, correction.answer_end
    if start is None:
        return Match(match.number, correction.status, confidence=1.0)
    if end is None:
        end = _asked_until(match, start, segments, starts)
    if until is None:
        until = max(end, match.answer_end if match.answer_end and match.answer_end > end else last)
    return Match(match.number, correction.status, start, min(end, until), until, confidence=1.0)


def _asked_until(match: Match, start: float, segments: Sequence[Segment], starts: Sequence[float]) -> float:
    """When the asking ends of which an editor gave the ``start``: where it was found, or with the turn or segment.

    Another question that begins in the same turn ends it.
    """
    if match.start is not None and match.end is not None and match.start - ONE_BREATH <= start <= match.end:
        return match.end
    here = [segment for segment in segments if segment.end > start]
    speaker = here[0].speaker if here else None
    turn = list(takewhile(lambda one: one.speaker == speaker, here)) if speaker else here[:1]
    ends = [*(one.end for one in turn[-1:]), *(other for other in starts if other > start)]
    return max(start, min(ends, default=start))


def _cut_short(asking: _Asked, askings: Iterable[Match | FollowUp]) -> _Asked:
    """The same with an answer that ends where the next thing is asked that does not share it."""
    start, end, until = _span(asking)
    later: list[float] = [_start(one) for one in askings if _start(one) > start and not _share_answer(one, asking)]
    return replace(asking, answer_end=max(end, min([until, *later]))) if until else asking


def _share_answer(one: Match | FollowUp, other: Match | FollowUp) -> bool:
    """Tell whether two askings are in one breath; see ``askings.in_one_breath``, which knows their sentences."""
    first, second = sorted((one, other), key=_start)
    return _start(second) - (first.end or _start(first)) < ONE_BREATH


def _start(one: Match | FollowUp) -> float:
    return one.start or 0.0


def label_segments(
    matches: Sequence[Match], follow_ups: Sequence[FollowUp], segments: Sequence[Segment]
) -> tuple[Label, ...]:
    """Say for each segment whether it asks or answers, and which questions; by the segment's middle.

    What is asked together has all of its numbers, and so has the answer. A follow-up and its answer have those of the
    question that it follows. What is uncertain labels nothing: a guess must not look like a fact in search results.
    What the host says while somebody else answers is about the question, but no answer to it.
    """
    sure = {match.number: match for match in matches if match.status in {"asked", "merged"}}
    together = {one.number: [n for n, other in sure.items() if _span(other) == _span(one)] for one in sure.values()}
    spans = [([number], _span(match)) for number, match in sure.items()]
    spans += [(together[one.after], _span(one)) for one in follow_ups if one.after in sure]
    labels = []
    for segment in segments:
        middle = (segment.start + segment.end) / 2
        asked, answered = set[int](), set[int]()
        for numbers, (start, end, until) in spans:
            if start <= middle < end:
                asked.update(numbers)
            elif end <= middle < until:
                answered.update(numbers)
        role: Role = "question" if asked else "answer" if answered else "other"
        labels.append(Label(role, tuple(sorted(asked or answered))))
    return tuple(_without_host(labels, segments))


def _without_host(labels: Sequence[Label], segments: Sequence[Segment]) -> Iterator[Label]:
    """The labels, but for what the host says in an answer. Where nobody else is heard in it, voices were mixed up."""
    host = _host(labels, segments)
    both = list(zip(labels, segments, strict=True))
    guests = {label for label, segment in both if segment.speaker not in {host, None}}
    for label, segment in both:
        is_host = host is not None and segment.speaker == host
        yield label._replace(role="other") if label.role == "answer" and is_host and label in guests else label


def _host(labels: Sequence[Label], segments: Sequence[Segment]) -> str | None:
    """Who asks more than half of what is asked; None where nobody does, or nobody is told apart."""
    asking = [segment.speaker for label, segment in zip(labels, segments, strict=True) if label.role == "question"]
    for speaker, count in Counter(asking).most_common(1):
        if 2 * count > len(asking):
            return speaker
    return None


def _span(one: Match | FollowUp) -> tuple[float, float, float]:
    start, end, until = one.start, one.end, one.answer_end
    return (0.0, 0.0, 0.0) if start is None or end is None or until is None else (start, end, until)
