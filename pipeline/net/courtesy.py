"""Rate limiting per host, and honouring Retry-After. Makes no requests itself."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from threading import Lock

from pipeline.net.http_dates import http_date

PER_SECOND = 10.0  # requests to one host
LONGEST_PAUSE = 120.0  # seconds; the longest Retry-After that is waited for


class Courtesy:
    """A rate limiter, shared by all threads and clients of a run."""

    def __init__(
        self,
        *,
        per_second: float = PER_SECOND,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._interval = 1 / per_second
        self._clock, self._sleep = clock, sleep
        self._lock = Lock()
        self._next: dict[str, float] = {}  # by host, the time of the next request that is allowed

    def wait(self, host: str) -> None:
        """Block until the next request to a host is allowed."""
        with self._lock:
            now = self._clock()
            turn = max(now, self._next.get(host, now))
            self._next[host] = turn + self._interval
        if turn > now:
            self._sleep(turn - now)

    def pause(self, host: str, seconds: float) -> None:
        """Delay further requests to a host, by at most ``LONGEST_PAUSE``."""
        with self._lock:
            until = self._clock() + min(seconds, LONGEST_PAUSE)
            self._next[host] = max(until, self._next.get(host, until))


def retry_after(said: str | None, now: datetime) -> float:
    """Parse a Retry-After header (RFC 9110, section 10.2.3) to seconds; 0 if missing or malformed.

    Args:
        said: the value of ``Retry-After``: seconds, or an HTTP date.
        now: the current time, timezone-aware.
    """
    if not said:
        return 0.0
    if said.strip().isascii() and said.strip().isdigit():
        return float(said.strip()[:9])
    moment = http_date(said)
    if moment is None:
        return 0.0
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - now).total_seconds())
