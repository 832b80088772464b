"""Repeating a job at regular intervals until interrupted."""

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
    """Run ``work`` now, and then at fixed intervals counted from the first start, however long it takes.

    Starts that fall into a running job are skipped. ``KeyboardInterrupt`` (also raised for SIGTERM) ends it.

    Args:
        work: returns an exit code; it is repeated whatever the code, except 130 (interrupted).
        every: seconds from one start to the next.
        say: called with the seconds until the next start.
        clock: a monotonic clock, in seconds.
        sleep: waits for a number of seconds.

    Returns:
        The exit code: 130 if interrupted during the work, 0 if while waiting.
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
    """Return the seconds until the next of the times ``first``, ``first + every``, and so on, after ``now``."""
    return first + every * (math.floor((now - first) / every) + 1) - now
