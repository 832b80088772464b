"""Which passages a time is about that somebody wrote down. Pure functions over passages, of a page or a transcript.

A clock is rounded down: it shows 66.9 as 1:06, while at 66.0 somebody else may still be speaking.
"""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.editing.checking import Stretch

# An address holds a time to a tenth of a second, so the passage it names may begin that much later.
ROUNDING = 0.1


def is_of_a_clock(text: str) -> bool:
    """Tell whether a time is written as clocks show it, in whole seconds; one with decimals is exactly that one."""
    return "." not in text


def begun_at(passages: Sequence[Stretch], second: float, end: float | None = None) -> float:
    """Return when the passage begins of which a clock shows this whole second; the second itself if there is none.

    It begins before an ``end`` that comes after the second, if one is given.
    """
    before = second + 1 if end is None or end <= second else min(second + 1, end)
    return next((passage.start for passage in passages if second <= passage.start < before), second)


def numbers_at(passages: Sequence[Stretch], second: float, end: float | None = None) -> range:
    """Return the places of what is being said at a second, or was said last before it, and on to the end if given.

    There is nothing after the last passage.
    """
    if not passages or second > passages[-1].end + ROUNDING:
        return range(0)
    starts = [passage.start for passage in passages]
    first = max(0, sum(start <= second + ROUNDING for start in starts) - 1)
    if second in starts:
        first = starts.index(second)
    until = sum(start <= (second if end is None else end) - ROUNDING for start in starts)
    return range(first, max(until, first + 1))
