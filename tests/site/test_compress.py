"""Compressed pages: which ones, for whom, and how large the page of an hour is."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.archive_fixture import SHA256, Kept, Serve, Site, kept, serve, site
from tests.support.hour import build_hour

__all__ = ["kept", "serve", "site"]  # fixtures

HOUR_BYTES = 300_000  # maximum compressed size of the page of an hour


@pytest.mark.parametrize(
    ("accepted", "sent"),
    [
        ("gzip", "gzip"),
        ("br, GZIP;q=0.5", "gzip"),
        ("gzip; q=0", None),
        ("gzip;q=0.0, identity", None),
        ("br", None),
        ("", None),
    ],
)
def test_a_page_is_compressed_for_who_takes_that(site: Site, kept: Kept, accepted: str, sent: str | None) -> None:
    path = f"/-/episode/{kept.spoken}"
    response = site.ask(path, Accept_Encoding=accepted)
    assert response.headers.get("content-encoding") == sent
    assert {"accept", "accept-encoding"} <= {name.strip().lower() for name in response.headers["vary"].split(",")}
    assert response.text == site.ask(path, Accept_Encoding="identity").text


@pytest.mark.parametrize(
    "path", ["/", "/-/search.json?q=is", "/-/search?q=is", "/-/export/{}.json", "/-/feed/show.xml"]
)
def test_all_text_is_compressed(site: Site, kept: Kept, path: str) -> None:
    response = site.ask(path.format(kept.spoken), Accept_Encoding="gzip")
    assert response.status_code == 200
    assert response.headers.get("content-encoding") == "gzip"
    assert response.num_bytes_downloaded < len(response.content)


def test_nothing_is_compressed_for_who_is_signed_in(site: Site, kept: Kept) -> None:
    response = site.ask(f"/-/episode/{kept.spoken}", actor="ann", Accept_Encoding="gzip")
    assert "Correct question 1" in response.text
    assert "content-encoding" not in response.headers


def test_audio_and_what_is_short_stay_as_they_are(site: Site) -> None:
    for headers in ({}, {"Range": "bytes=0-9"}):
        response = site.ask(f"/-/audio/{SHA256}", Accept_Encoding="gzip", **headers)
        assert response.status_code in {200, 206}
        assert "content-encoding" not in response.headers
    assert "content-encoding" not in site.ask("/-/search.json?q=nowhere", Accept_Encoding="gzip").headers


def test_the_page_of_an_hour_is_light(serve: Serve, tmp_path: Path) -> None:
    path, one = build_hour(tmp_path)
    response = serve(path).ask(f"/-/episode/{one}", Accept_Encoding="gzip")
    words = response.text.partition('id="transcript"')[2].partition('class="provenance"')[0]
    assert words.count('class="passage') > 700
    assert len(words.split()) > 9_000
    assert response.num_bytes_downloaded < HOUR_BYTES
