"""The addresses of the site's pages: what they name, to the millisecond where it is a quotation."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.addresses import addresses, quote_path

SHA256 = "0123456789abcdef" * 4


@pytest.mark.parametrize(
    ("start", "end", "path"),
    [
        (0.0, 2.4, "0-2400"),
        (0.29, 4.9, "290-4900"),  # neither is a whole number of milliseconds in floating point
        (192.3456, 195.0001, "192345-195001"),
        (3599.9996, 3600.0, "3599999-3600000"),
    ],
)
def test_a_quotation_is_named_by_its_file_and_milliseconds(start: float, end: float, path: str) -> None:
    assert quote_path(SHA256, start, end) == f"/-/quote/0123456789ab/{path}"


@given(st.integers(0, 10**8), st.integers(0, 10**8))
def test_whole_milliseconds_stay_as_they_are(first: int, last: int) -> None:
    assert quote_path(SHA256, first / 1000, last / 1000).endswith(f"/{first}-{last}")


def test_a_quotation_has_addresses_below_a_base() -> None:
    site = addresses("https://archive.example/x/")
    assert site.quote(SHA256, 1, 2) == "https://archive.example/x/-/quote/0123456789ab/1000-2000"
    assert site.quote(SHA256, 1, 2, "a1b2c3").endswith("/1000-2000?w=a1b2c3")
    assert site.clip(SHA256, 1, 2, ".mp3") == "https://archive.example/x/-/clip/0123456789ab/1000-2000.mp3"
