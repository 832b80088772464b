"""How far something has come: the shape in which it is told. Shows nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

# Called with how much there is in all; what it returns, with how much is done so far.
Begin: TypeAlias = Callable[[float], Callable[[float], None]]


def unseen(_total: float) -> Callable[[float], None]:
    """Tell nobody."""
    return lambda _done: None
