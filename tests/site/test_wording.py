"""Formatting values for the site."""

from __future__ import annotations

import pytest

from pipeline.site.wording import length


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        *((None, ""), (0.0, ""), (0.2, "1 s"), (2.0, "2 s"), (59.4, "59 s"), (59.6, "1 min"), (89.0, "1 min")),
        *((3_570.0, "1 h 00 min"), (3_900.0, "1 h 05 min")),
    ],
)
def test_a_length_is_told_in_seconds_minutes_or_hours(seconds: float | None, shown: str) -> None:
    assert length(seconds) == shown
