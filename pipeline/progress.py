"""The types of progress callbacks: ``begin(total)`` returns ``update(done)``. Shows nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

Progress: TypeAlias = Callable[[float], None]
Begin: TypeAlias = Callable[[float], Progress]


def unseen(_total: float) -> Progress:
    """Ignore all progress."""
    return lambda _done: None
