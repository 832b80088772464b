"""Repeating a job at regular intervals until interrupted."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

from pipeline.exits import Exit


def repeat(
    work: Callable[[], int],
    every: float,
    *,
    say: Callable[[float], None] = lambda _seconds: None,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Exit:
    """Run ``work`` now, and then at fixed intervals counted from the first start, however long it takes.

    Starts that fall into a running job are skipped. ``KeyboardInterrupt`` (also raised for SIGTERM) ends it.

    Args:
        work: returns an exit code; it is repeated whatever the code, except ``INTERRUPTED``.
        every: seconds from one start to the next.
        say: called with the seconds until the next start.
        clock: a monotonic clock, in seconds.
        sleep: waits for a number of seconds.

    Returns:
        ``INTERRUPTED`` if that was during the work, ``OK`` if while waiting.
    """
    first = clock()
    while True:
        try:
            if work() == Exit.INTERRUPTED:
                return Exit.INTERRUPTED
        except KeyboardInterrupt:
            return Exit.INTERRUPTED
        try:
            wait = until_next(first, every, clock())
            say(wait)
            sleep(wait)
        except KeyboardInterrupt:
            return Exit.OK


def until_next(first: float, every: float, now: float) -> float:
    """Return the seconds until the next of the times ``first``, ``first + every``, and so on, after ``now``."""
    return first + every * (math.floor((now - first) / every) + 1) - now
