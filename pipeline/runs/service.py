"""Doing something again and again, at even intervals, until it is told to stop. Knows nothing of what it does."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

INTERRUPTED = 130


def repeat(
    work: Callable[[], int],
    every: float,
    *,
    say: Callable[[float], None] = lambda _seconds: None,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> int:
    """Work at once and then every so often, counted from the first time: what the work takes shifts nothing.

    Moments that pass while it works are left out. ``KeyboardInterrupt``, which SIGTERM is made to be, ends it.

    Args:
        work: returns an exit code; whatever that is, there is a next time, unless it was interrupted.
        every: seconds from one beginning to the next.
        say: called with the seconds until the next time.
        clock: seconds that only ever grow.
        sleep: waits for so many seconds.

    Returns:
        The exit code: 130 when the work was interrupted, 0 when it was waiting.
    """
    first = clock()
    while True:
        try:
            if work() == INTERRUPTED:
                return INTERRUPTED
        except KeyboardInterrupt:
            return INTERRUPTED
        try:
            wait = until_next(first, every, clock())
            say(wait)
            sleep(wait)
        except KeyboardInterrupt:
            return 0


def until_next(first: float, every: float, now: float) -> float:
    """Return the seconds until the next of the moments ``first``, ``first + every``, and so on, that is not past."""
    return first + every * (math.floor((now - first) / every) + 1) - now
