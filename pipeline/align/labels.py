"""Labelling segments with the published questions that they ask or answer, from given matches."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from pipeline.model import ASKED, FollowUp, Label, Match, Role, Segment


def label_segments(
    matches: Sequence[Match], follow_ups: Sequence[FollowUp], segments: Sequence[Segment]
) -> tuple[Label, ...]:
    """Return for each segment whether it asks or answers, and which questions, judged by the segment's midpoint.

    Questions that are asked together label their asking and answer with all of their numbers. A follow-up and its
    answer have the numbers of the question that it follows. Uncertain matches label nothing: a guess must not look like
    a fact in search results. What the host says during an answer has the question's numbers, but the role ``other``;
    so has what a guest says while the host asks.
    """
    sure = {match.number: match for match in matches if match.status in ASKED}
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
    return tuple(_told_by_voice(labels, segments))


def asker(labels: Sequence[Label], segments: Sequence[Segment]) -> str | None:
    """Return the speaker of more than half of the question segments; None if there is none, or it is unknown."""
    asking = [segment.speaker for label, segment in zip(labels, segments, strict=True) if label.role == "question"]
    for speaker, count in Counter(asking).most_common(1):
        if 2 * count > len(asking):
            return speaker
    return None


def _told_by_voice(labels: Sequence[Label], segments: Sequence[Segment]) -> Iterator[Label]:
    """Correct labels by speaker: the host does not answer, and a guest does not ask before or while the host does.

    Labels are kept if nobody else speaks in the answer, or the host nowhere in the asking: voices were mixed up there.
    """
    host = asker(labels, segments)
    both = list(zip(labels, segments, strict=True))
    of_guests = {label for label, segment in both if segment.speaker not in {host, None}}
    of_host = {label for label, segment in both if segment.speaker == host}
    begun = set[Label]()
    for label, segment in both:
        if host is None or segment.speaker is None:
            yield label
        elif segment.speaker == host:
            begun.add(label)
            yield label._replace(role="other") if label.role == "answer" and label in of_guests else label
        elif label.role == "question" and label in of_host:
            yield label._replace(role="other") if label in begun else Label("other")
        else:
            yield label


def _span(one: Match | FollowUp) -> tuple[float, float, float]:
    start, end, until = one.start, one.end, one.answer_end
    return (0.0, 0.0, 0.0) if start is None or end is None or until is None else (start, end, until)
