"""A small soak test; ``python -m tests.support.soaking`` is the long one."""

from __future__ import annotations

from pathlib import Path

from tests.support.soaking import soak


def test_nothing_is_lost_or_doubled_on_a_bad_day(tmp_path: Path) -> None:
    *told, last = soak(tmp_path, feeds=6, episodes=30, kills=3, seed=7)
    assert last.startswith("30 episodes, each once and byte for byte")
    assert sum("kill" in line for line in told) == 3
