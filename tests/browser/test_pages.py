"""The pages of feeds, people and questions in a real browser."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.support.browsing import another, browser, chromium, current_time, open_northbridge, page, site, wait_for

__all__ = ["browser", "chromium", "page", "site"]  # fixtures

pytestmark = pytest.mark.browser

PAGES = (
    "/",
    "/-/feed/inspection-interview",
    "/-/speakers",
    "/-/speaker/Graham%20Seabrook",
    "/-/questions",
    "/-/status",
)


def test_a_question_on_the_line_of_time_plays_from_its_second(page: Page, site: str) -> None:
    open_northbridge(page, site)
    line = page.get_by_role("figure", name=re.compile("timeline of the recording"))
    eighth = line.get_by_role("link", name=re.compile(r"8\) Foster families"))
    eighth.focus()
    page.keyboard.press("Enter")  # no mouse is needed
    wait_for(page, "document.querySelector('audio').currentTime > 189")
    assert current_time(page) < 200
    bar, whole = eighth.bounding_box(), line.get_by_role("group").bounding_box()
    assert bar is not None
    assert whole is not None
    assert abs((bar["x"] - whole["x"]) / whole["width"] - 192.3 / 250.2) < 0.02


def test_the_line_of_time_leads_there_without_javascript(page: Page, site: str) -> None:
    plain = another(page, java_script_enabled=False)
    plain.goto(site)
    plain.get_by_role("link", name=re.compile("Northbridge")).first.click()
    plain.wait_for_url(re.compile("/-/episode/"))
    plain.get_by_role("link", name=re.compile(r"3\) Average caseloads")).click(force=True)
    plain.wait_for_url(re.compile(r"\?t=7\d\.\d"))
    expect(plain.locator(".pointed")).to_contain_text("You are at 1:1")


def test_from_a_feed_to_a_person_and_on_to_what_they_said(page: Page, site: str) -> None:
    page.goto(site)
    page.get_by_role("link", name=re.compile("Inspection Interview")).last.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Inspection Interview")
    page.get_by_role("link", name="Speakers").click()
    page.get_by_role("link", name="Graham Seabrook").click()
    page.get_by_role("searchbox", name="Search what Graham Seabrook said").fill("children")
    page.keyboard.press("Enter")
    expect(page.locator("mark").first).to_have_text(re.compile("child", re.IGNORECASE))
    page.go_back()
    page.get_by_role("link", name=re.compile(r"^\d:\d\d$")).first.click()
    wait_for(page, "document.querySelector('audio')?.readyState >= 1")
    assert "?t=" in page.url


def test_questions_are_narrowed_down_and_lead_to_their_second(page: Page, site: str) -> None:
    page.goto(f"{site}/-/questions")
    page.get_by_label("Words").fill("finally")
    page.get_by_role("button", name="Narrow down").click()
    expect(page.get_by_text("2 questions")).to_be_visible()
    page.get_by_role("link", name="Asked at 3:12").click()
    wait_for(page, "Math.abs(document.querySelector('audio')?.currentTime - 192) < 1")


def test_pages_fit_the_screen(page: Page, site: str) -> None:
    for path in PAGES:
        page.goto(site + path)
        assert not page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"), path
