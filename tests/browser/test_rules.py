"""Rules for every page in a real browser: accessibility, no console errors or policy violations, no foreign scripts."""

from __future__ import annotations

from collections.abc import Callable
from importlib.resources import files
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page, ViewportSize, expect

from tests.support.archive_fixture import EVIL, Kept, kept
from tests.support.browsing import (
    DESKTOP,
    PHONE,
    another,
    browser,
    chromium,
    desk,
    go_to,
    open_northbridge,
    served,
    site,
    wait_for,
    watched,
)

__all__ = ["browser", "chromium", "desk", "kept", "site"]  # fixtures

pytestmark = pytest.mark.browser

AXE = (files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8")


def assert_accessible(page: Page) -> None:
    """Check with axe, in light on a desktop and in dark on a phone: together all colours and layouts."""
    page.evaluate(AXE)
    schemes: tuple[tuple[ViewportSize, Literal["light", "dark"]], ...] = ((DESKTOP, "light"), (PHONE, "dark"))
    for size, scheme in schemes:
        page.set_viewport_size(size)
        page.emulate_media(color_scheme=scheme)
        found = page.evaluate("axe.run()")["violations"]
        assert [f"{one['id']}: {node['html'][:160]}" for one in found for node in one["nodes"]] == []


def play_a_hit(page: Page) -> None:
    page.locator("button.play").first.click()
    wait_for(page, "document.getElementById('player').currentTime > 0")


def listen(page: Page) -> None:
    open_northbridge(page, page.url.partition("/-/")[0])
    page.goto(page.url + "#t=192.5,201")
    wait_for(page, "document.getElementById('player').readyState >= 1")
    go_to(page, 200.5)
    page.evaluate("document.getElementById('player').play()")
    expect(page.get_by_role("button", name="Play on")).to_be_visible()


def show_keys(page: Page) -> None:
    listen(page)
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()


@pytest.mark.parametrize(
    ("address", "act"),
    [
        ("/", None),
        ("/-/search", None),
        ("/-/search?q=council+OR+children&role=answer", None),
        ("/-/search?q=council", play_a_hit),
        ("/-/search?q=zeppelin", None),
        ("/-/search?q=", listen),
        ("/-/search?q=", show_keys),
        ("/-/feed/inspection-interview", None),
        ("/-/speakers", None),
        ("/-/speaker/Graham%20Seabrook", None),
        ("/-/questions", None),
        ("/-/status", None),
    ],
    ids=[
        "home",
        "search",
        "hits",
        "a hit played",
        "no hit",
        "episode",
        "keys",
        "feed",
        "speakers",
        "speaker",
        "questions",
        "status",
    ],
)
def test_a_page_is_accessible(browser: Browser, site: str, address: str, act: Callable[[Page], None] | None) -> None:
    with watched(browser, viewport=DESKTOP) as page:
        page.goto(site + address)
        if act:
            act(page)
        assert_accessible(page)


def test_an_editors_page_is_accessible(browser: Browser, desk: tuple[str, str]) -> None:
    with watched(browser, viewport=DESKTOP) as page:
        page.goto(desk[1])
        open_northbridge(page, desk[0])
        page.locator("#question-2").get_by_role("button", name="Not asked").click()
        expect(page.get_by_role("status")).to_have_text("Question 2: not asked, corrected")
        page.locator("#question-3").get_by_text("Ends and note").click()
        page.locator("#question-2").get_by_text("History").click()
        assert_accessible(page)


def test_what_is_hostile_is_read_not_run(browser: Browser, kept: Kept) -> None:
    with served(kept.path) as (address, _), watched(browser, viewport=DESKTOP) as page:
        page.goto(address)
        expect(page.locator(".episodes .title").first).to_have_text(f"One {EVIL}")
        page.goto(f"{address}/-/search?q=door&speaker=Guest+{EVIL}")
        expect(page.locator(".hit blockquote")).to_contain_text(f"The front door is {EVIL} calm.")
        expect(page.locator(".found h2")).to_have_text(f"One {EVIL}")
        expect(page.locator(".hit .speaker")).to_have_text(f"Guest {EVIL}")
        page.goto(f"{address}/-/search?q={EVIL}+zeppelin")
        expect(page.get_by_role("searchbox")).to_have_value(f"{EVIL} zeppelin")
        expect(page.get_by_role("status")).to_contain_text(EVIL)
        page.goto(f"{address}/-/episode/{kept.spoken}?t=6")
        expect(page.locator("h1")).to_have_text(f"One {EVIL}")
        expect(page.locator(".pointed")).to_contain_text(f"The front door is {EVIL} calm.")
        expect(page.locator(".turn h3").first).to_contain_text(f"Guest {EVIL}")
        expect(page.locator("#question-2")).to_contain_text(EVIL)
        page.get_by_text("Show notes, as published").click()
        expect(page.locator(".notes")).to_contain_text("Notes")
        assert page.locator(".notes :is(script, img, [href^=javascript])").count() == 0
        assert_accessible(page)
        page.goto(f"{address}/-/episode/{kept.waiting}")
        expect(page.get_by_text("This episode is not transcribed yet.")).to_be_visible()
        assert_accessible(page)
        refused = another(page)  # the browser logs refusals to the console
        refused.goto(f"{address}/-/search?q=door&role={EVIL}")
        expect(refused.get_by_role("alert")).to_contain_text(f"“{EVIL}” is not one of")
        assert_accessible(refused)
        refused.goto(f"{address}/-/episode/{EVIL.replace('/', '')}/x")
        expect(refused.locator("main")).to_contain_text("There is no episode “<script>alert(1)<script>/x”")
        assert_accessible(refused)
