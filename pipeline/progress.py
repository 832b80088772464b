"""The type of a progress callback: ``begin(total)`` returns ``update(done)``. Shows nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

Begin: TypeAlias = Callable[[float], Callable[[float], None]]


def unseen(_total: float) -> Callable[[float], None]:
    """Ignore all progress."""
    return lambda _done: None
