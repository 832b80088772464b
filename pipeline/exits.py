"""The exit codes of the commands."""

from __future__ import annotations

from enum import IntEnum


class Exit(IntEnum):
    """How a command ended."""

    OK = 0
    STOPPED = 1  # an error stopped the run
    MISUSED = 2  # wrong usage or configuration, as click has it
    PARTLY = 3  # finished, but something failed
    INTERRUPTED = 130  # Ctrl-C or SIGTERM, as shells have it

    @classmethod
    def after(cls, failures: object) -> Exit:
        """Return the code of a command that went on to its end: whether something failed on the way."""
        return cls.PARTLY if failures else cls.OK
