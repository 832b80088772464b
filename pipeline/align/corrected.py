"""Applying editors' corrections to an alignment: the matches in force. This is the only place that decides them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import takewhile
from typing import TypeVar

from pipeline.align.askings import ONE_BREATH
from pipeline.align.labels import asker, label_segments
from pipeline.model import Correction, FollowUp, Match, Segment

_Asked = TypeVar("_Asked", Match, FollowUp)


def corrected_matches(
    matches: Sequence[Match],
    follow_ups: Sequence[FollowUp],
    corrections: Mapping[int, Correction],
    segments: Sequence[Segment],
) -> tuple[tuple[Match, ...], tuple[FollowUp, ...]]:
    """Apply corrections to matches, adjust the neighbouring matches and follow-ups, and return all of them.

    A time that the editor left blank is kept from the match if the new start lies within the same asking; otherwise the
    asking lasts as long as the host speaks there. An answer ends where the next question is asked, unless the editor
    gave its end. A question that was merged with a corrected one is no longer merged with it.

    Args:
        matches: as found, not as ``with_answers`` completes them given the corrections.
        follow_ups: as found.
        corrections: by question number.
        segments: the transcript; without it, times that an editor left blank stay unknown.
    """
    around = _Around.of(matches, follow_ups, corrections, segments)
    found = [
        _corrected(match, corrections[match.number], around)
        if match.number in corrections
        else _apart(match, matches, corrections)
        for match in matches
    ]
    placed = [match for match in found if match.start is not None]
    besides = tuple(_following(follow_ups, placed))
    askings: list[Match | FollowUp] = [*(one for one in placed if one.status != "uncertain"), *besides]
    given = {number for number, one in corrections.items() if one.answer_end is not None}
    return (
        tuple(one if one.number in given else _cut_short(one, askings) for one in found),
        tuple(_cut_short(one, askings) for one in besides),
    )


@dataclass(frozen=True, slots=True)
class _Around:
    """The context of corrections: ``starts`` of all askings, the end of the last answer, and the host."""

    segments: Sequence[Segment]
    starts: Sequence[float]
    closing: float
    host: str | None

    @classmethod
    def of(
        cls,
        matches: Sequence[Match],
        follow_ups: Sequence[FollowUp],
        corrections: Mapping[int, Correction],
        segments: Sequence[Segment],
    ) -> _Around:
        sure = [one for one in matches if one.status != "uncertain"]
        left = [one for one in sure if one.number not in corrections]
        starts = [one.start for one in left] + [one.start for one in corrections.values()]
        return cls(
            segments,
            [start for start in starts if start is not None],
            max([0.0, *(one.answer_end or 0.0 for one in sure), *(one.answer_end for one in follow_ups)]),
            asker(label_segments(left, follow_ups, segments), segments),
        )

    def asked_until(self, start: float) -> float | None:
        """The end of an asking that an editor placed at ``start``: the end of the turn, or the next question's start.

        Editors set starts slightly early, so if somebody else is just finishing, the host's next turn is taken. If the
        speaker is not the host, only one segment is taken: it may be the host, misattributed, and the rest may be the
        answer. None if nothing is said after ``start``.
        """
        here = [segment for segment in self.segments if segment.end > start]
        begun = (n for n, one in enumerate(here) if one.speaker == self.host and one.start <= start + ONE_BREATH)
        here = here[next(begun, 0) :] if self.host else here
        if not here:
            return None
        speaker = here[0].speaker
        # With a single voice, speakers were not told apart.
        is_turn = self.host in {speaker, None} and len({one.speaker for one in self.segments} - {None}) > 1
        turn = list(takewhile(lambda one: one.speaker == speaker, here)) if is_turn and speaker else here[:1]
        return min([turn[-1].end, *(other for other in self.starts if other > start)])

    def answered_until(self, end: float) -> float:
        """The latest end of an answer that begins at ``end``: the end of the last answer, or else of all speech."""
        return self.closing if end < self.closing else max(end, self.segments[-1].end)


def _following(follow_ups: Iterable[FollowUp], placed: Sequence[Match]) -> Iterator[FollowUp]:
    """The follow-ups after corrections moved questions.

    A follow-up may now belong to a different question, or coincide with a moved one and be dropped. It is also dropped
    if the preceding question's answer ends before it.
    """
    until = {match.number: match.answer_end or 0.0 for match in placed}
    for one in follow_ups:
        before = [match for match in placed if _start(match) < one.start]
        if not before or any(_share_answer(one, match) for match in placed):
            continue
        after = max(before, key=_start).number
        if after == one.after or until[after] >= one.start - ONE_BREATH:
            until[after] = max(until[after], one.answer_end)
            yield replace(one, after=after)


def _corrected(match: Match, correction: Correction, around: _Around) -> Match:
    start, end, until = correction.start, correction.end, correction.answer_end
    if start is not None and around.segments:
        is_here = match.end is not None and _start(match) - ONE_BREATH <= start <= match.end
        if end is None:
            end = match.end if is_here else around.asked_until(start)
        if end is not None and until is None:
            found = match.answer_end if is_here and match.answer_end and match.answer_end > end else None
            until = found or around.answered_until(end)
        if end is not None and until is not None:
            end = min(end, until)
    return Match(match.number, correction.status, start, end, until, confidence=1.0)


def _apart(match: Match, matches: Sequence[Match], corrections: Mapping[int, Correction]) -> Match:
    """The match, no longer merged with questions that an editor has corrected."""
    if match.merged_with not in corrections:
        return match
    others = [
        other.number
        for other in matches
        if other.status == "merged" and other.number not in {match.number, *corrections} and _overlap(match, other)
    ]
    return replace(match, status="merged" if others else "asked", merged_with=min(others, default=None))


def _overlap(one: Match, other: Match) -> bool:
    return _start(one) < (other.end or 0.0) and _start(other) < (one.end or 0.0)


def _cut_short(asking: _Asked, askings: Iterable[Match | FollowUp]) -> _Asked:
    """End the answer where the next question is asked, unless the two share it."""
    until = asking.answer_end
    if until is None:
        return asking
    later: list[float] = [
        _start(one) for one in askings if _start(one) > _start(asking) and not _share_answer(one, asking)
    ]
    return replace(asking, answer_end=max(asking.end or _start(asking), min([until, *later])))


def _share_answer(one: Match | FollowUp, other: Match | FollowUp) -> bool:
    """Tell whether two askings share an answer; see ``askings.in_one_breath``, which also compares sentences."""
    first, second = sorted((one, other), key=_start)
    return _start(second) - (first.end or _start(first)) < ONE_BREATH


def _start(one: Match | FollowUp) -> float:
    return one.start or 0.0
