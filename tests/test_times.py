"""Times as people write them."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.times import exactly, seconds, stretch, utc_now


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("3:12", 192.0),
        ("1:03:12.5", 3792.5),
        ("192", 192.0),
        ("192.4", 192.4),
        (" 192.4s ", 192.4),
        ("90:00", 5400.0),
        ("0:00", 0.0),
        ("007", 7.0),
        *((nonsense, None) for nonsense in (
            "", " ", None, "x", "-1", "+1", "nan", "inf", "1e3", "0x10", "3:75", "1:60:00", "1:-2", "3:", ":12", "3;12",
            "3:12,5", "1:2:3:4", "٣:١٢", "9999999", "3:12\n4", "3 : 12",
        )),
    ],
)  # fmt: skip
def test_a_time_is_read_or_is_none(text: str | None, read: float | None) -> None:
    assert seconds(text) == read


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("192,201", (192.0, 201.0)),
        ("3:12.5, 3:21", (192.5, 201.0)),
        ("192", (192.0, None)),
        ("192,", (192.0, None)),
        ("192,192", (192.0, None)),
        ("192,100", (192.0, None)),
        ("192,x", (192.0, None)),
        ("1,2,3", (1.0, None)),
        (",201", (None, None)),
        ("x,201", (None, None)),
        ("", (None, None)),
        (None, (None, None)),
    ],
)
def test_a_stretch_has_an_end_only_after_its_start(text: str | None, read: tuple[float | None, float | None]) -> None:
    assert stretch(text) == read


@pytest.mark.parametrize(
    ("second", "shown"),
    [(0.0, "0:00"), (192.4, "3:12.4"), (59.9996, "1:00"), (3723.125, "1:02:03.125"), (10.05, "0:10.05")],
)
def test_a_time_is_shown_as_short_as_it_can_be(second: float, shown: str) -> None:
    assert exactly(second) == shown


@given(st.integers(0, 359_999_999))
def test_what_is_shown_is_read_as_the_same_thousandth(thousandths: int) -> None:
    assert seconds(exactly(thousandths / 1000)) == pytest.approx(thousandths / 1000, abs=1e-6)


def test_the_moment_is_utc() -> None:
    assert re.fullmatch(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ", utc_now())
