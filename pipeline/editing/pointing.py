"""Finding the passages that a written time refers to. Pure functions.

Displayed times are rounded down: 66.9 is shown as 1:06, although at 66.0 somebody else may still be speaking.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence

from pipeline.editing.checking import Stretch

# An address holds a time to a tenth of a second, so the passage it names may begin that much later.
ROUNDING = 0.1


def is_of_a_clock(text: str) -> bool:
    """Tell whether a time is in whole seconds, as displayed; a time with decimals is taken to be exact."""
    return "." not in text


def begun_at(passages: Sequence[Stretch], second: float, end: float | None = None) -> float:
    """Return the start of the first passage that is displayed with this whole second, or else the second itself.

    If ``end`` is given and later, only passages that start before it are considered.
    """
    before = second + 1 if end is None or end <= second else min(second + 1, end)
    return next((passage.start for passage in passages if second <= passage.start < before), second)


def numbers_at(passages: Sequence[Stretch], second: float, end: float | None = None) -> range:
    """Return the indices of the passage spoken at (or last before) a time, and of those up to ``end`` if given.

    Empty after the end of the last passage.
    """
    if not passages or second > passages[-1].end + ROUNDING:
        return range(0)
    starts = [passage.start for passage in passages]
    first = bisect_left(starts, second)  # of several that begin within a tenth, the first is named
    if first == len(starts) or starts[first] > second + ROUNDING:
        first = max(0, first - 1)
    until = sum(start <= (second if end is None else end) - ROUNDING for start in starts)
    return range(first, max(until, first + 1))
