"""URLs of the site's pages: what they contain, to the millisecond for quotations."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.addresses import Addresses, addresses

SHA256 = "0123456789abcdef" * 4


@pytest.mark.parametrize(
    ("start", "end", "path"),
    [
        (0.0, 2.4, "0-2400"),
        (0.29, 4.9, "290-4900"),  # neither is an integer number of milliseconds in floating point
        (192.3456, 195.0001, "192345-195001"),
        (3599.9996, 3600.0, "3599999-3600000"),
    ],
)
def test_a_quotation_is_named_by_its_file_and_milliseconds(start: float, end: float, path: str) -> None:
    assert Addresses().quote(SHA256, start, end) == f"/-/quote/0123456789ab/{path}"


@given(st.integers(0, 10**8), st.integers(0, 10**8))
def test_whole_milliseconds_stay_as_they_are(first: int, last: int) -> None:
    assert Addresses().quote(SHA256, first / 1000, last / 1000).endswith(f"/{first}-{last}")


def test_a_quotation_has_addresses_below_a_base() -> None:
    site = addresses("https://archive.example/x/")
    assert site.quote(SHA256, 1, 2) == "https://archive.example/x/-/quote/0123456789ab/1000-2000"
    assert site.quote(SHA256, 1, 2, wording="a1b2c3").endswith("/1000-2000?w=a1b2c3")
    assert site.quote(SHA256, 1, 2, wording="a1b2c3", episode="show/x").endswith("/1000-2000?w=a1b2c3&e=show%2Fx")
    assert site.clip(SHA256, 1, 2, ".mp3") == "https://archive.example/x/-/clip/0123456789ab/1000-2000.mp3"


def test_pages_are_named_whole_or_by_their_paths() -> None:
    assert addresses("https://archive.example/x/").sitemap(2) == "https://archive.example/x/sitemap-2.xml"
    paths = Addresses()
    assert (paths.home(), paths.sitemap()) == ("/", "/sitemap.xml")
    assert paths.question("show/1", 3) == "/-/episode/show/1#q3"
    assert paths.question("show/1", 3, 7.29) == "/-/episode/show/1?t=7.2#q3"
    assert paths.audio(SHA256, 7.29, 9.0) == f"/-/audio/{SHA256}#t=7.2,9.0"
    assert paths.check("show/1", 0) == "/-/check?episode=show%2F1&n=0"
    assert paths.speaker("Lee/Cole", before="show/1") == "/-/speaker/Lee%2FCole?before=show%2F1"
    assert paths.search_json(q='"early help"', page=None) == "/-/search.json?q=%22early+help%22"
