"""Limits how many searches or clips run at once, so that a crawler leaves threads and cores to readers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

AT_ONCE = 2  # Datasette has three threads for queries
WAITING = 60


class Turnstile:
    """Counts running and waiting requests; one for each kind of work in each Datasette."""

    def __init__(self, at_once: int = AT_ONCE, waiting: int = WAITING) -> None:
        self._inside = asyncio.Semaphore(at_once)
        self._free = waiting

    @asynccontextmanager
    async def passed(self) -> AsyncIterator[bool]:
        """Wait for a turn and yield True; yields False at once if too many are already waiting."""
        if not self._free:
            yield False
            return
        self._free -= 1
        try:
            await self._inside.acquire()
        finally:
            self._free += 1
        try:
            yield True
        finally:
            self._inside.release()
