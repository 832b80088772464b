"""Completing matches: the ends of answers, merged questions, and follow-up questions."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from pipeline.align.askings import Asking, answer_end, are_merged, askings, closing, host_of, hosts_of, in_one_breath
from pipeline.align.units import Unit
from pipeline.model import FollowUp, Match


def with_answers(
    matches: Sequence[Match],
    places: Mapping[int, Asking],
    units: Sequence[Unit],
    *,
    certain: Collection[int] = (),
) -> tuple[tuple[Match, ...], tuple[FollowUp, ...]]:
    """Add to matches the ends of their answers and what they are merged with, and find the follow-up questions.

    Args:
        matches: With their starts and ends; ``asked``, ``uncertain`` or ``not_asked``.
        places: Where each question that has a time is asked, by number.
        units: The transcript.
        certain: Numbers of the questions whose times an editor gave: they are not merged with others.
    """
    sure = {match.number: places[match.number] for match in matches if match.status == "asked"}
    hosts = hosts_of(units, host_of(units, [place.last for place in sure.values()]))
    spoken = askings(units, hosts)
    besides = [asking for asking in spoken if not any(in_one_breath(asking, place) for place in places.values())]
    # An uncertain place must not cut an answer short, unless the host asks something there in any case.
    ending = besides + [
        place
        for number, place in places.items()
        if number in sure or any(in_one_breath(asking, place) for asking in spoken)
    ]
    end = closing(units, hosts, ending)

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
            answer_end=round(max(answer_end(one, ending, end, units) for one in asked), 3),
            merged_with=min(merged, default=None),
        )

    follow_ups = [
        FollowUp(
            after,
            round(asking.start, 3),
            round(asking.end, 3),
            round(answer_end(asking, ending, end, units), 3),
            " ".join(unit.text for unit in units[asking.first : asking.last + 1]),
        )
        for asking in besides
        if (after := _last_before(asking, places)) is not None
    ]
    return tuple(map(complete, matches)), tuple(follow_ups)


def _merged_with(number: int, sure: Mapping[int, Asking], units: Sequence[Unit]) -> list[int]:
    """The numbers of the other questions that are merged with this one."""
    return [
        other for other in sure if number in sure and other != number and are_merged(sure[number], sure[other], units)
    ]


def _last_before(asking: Asking, places: Mapping[int, Asking]) -> int | None:
    """The number of the last question that was asked before this asking."""
    before = {number: one.start for number, one in places.items() if one.start < asking.start}
    return max(before, key=lambda number: before[number], default=None)
