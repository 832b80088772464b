"""Links into a recording in a real browser: the target, what plays, and that no other host is contacted."""

from __future__ import annotations

import wave
from pathlib import Path

import pytest
from playwright.sync_api import Page, ViewportSize

from pipeline.archive.database import writer
from tests.support.archive_fixture import Kept, Serve, kept, listening, serve
from tests.support.browsing import chromium, launched, wait_for, watched

__all__ = ["chromium", "kept", "serve"]  # fixtures

pytestmark = pytest.mark.browser


def silence(path: Path) -> int:
    """Eleven seconds of silence as WAV, enough for a browser to seek in. Returns its size in bytes."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(1)
        file.setframerate(8000)
        file.writeframes(b"\x80" * 8000 * 11)
    return path.stat().st_size


def wait_until(page: Page, first: float, last: float) -> None:
    now = "document.getElementById('player').currentTime"
    wait_for(page, f"{first} <= {now} && {now} <= {last}")


def test_links_land_on_their_second_and_clicks_play(serve: Serve, kept: Kept, chromium: str) -> None:
    size = silence(next((kept.path.parent / "audio").rglob("*.mp3")))
    with writer(kept.path) as db, db.atomic():
        db.execute("update renditions set bytes = ?, content_type = 'audio/wav'", [size])
    with (
        listening(serve()) as address,
        launched(chromium) as browser,
        watched(browser, viewport=ViewportSize(width=375, height=700)) as page,
    ):
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        url = f"{address}/-/episode/{kept.spoken}"
        for suffix, second in (("?t=5.5", 5.5), ("#t=2.5", 2.5), ("#t=0:08,9", 8), ("#q4", 7.5)):
            page.goto("about:blank")
            page.goto(url + suffix)
            wait_until(page, second - 0.01, second + 0.01)
        page.click("#s1 a.time")
        wait_until(page, 2.51, 4)
        page.wait_for_selector("#s1[aria-current]")
        assert page.url.endswith("?t=2.5")
        page.goto(f"{address}/-/search?q=door")
        page.click("button.play")
        wait_until(page, 5.01, 7)
        assert page.evaluate("document.documentElement.scrollWidth") <= 375
    assert [one for one in asked if not one.startswith((address, "about:"))] == []


def test_long_words_from_outside_do_not_make_pages_wider(serve: Serve, kept: Kept, chromium: str) -> None:
    address = "https://example.org/" + "a" * 200
    with writer(kept.path) as db, db.atomic():
        db.execute("update episodes set title = ?", [address])
        db.execute("update questions set text = ?", [address])
        db.execute("update segments set speaker = ?", [address])
    paths = ("/", f"/-/episode/{kept.spoken}", "/-/search?q=door", '/-/search?q="calm I doubt"', "/-/questions")
    with (
        listening(serve()) as site,
        launched(chromium) as browser,
        watched(browser, viewport=ViewportSize(width=375, height=700)) as page,
    ):
        for path in paths:
            page.goto(site + path)
            assert page.evaluate("document.documentElement.scrollWidth") <= 375, path
