"""The site in a real browser: search, open a hit, hear it at its second."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect, sync_playwright

pytestmark = pytest.mark.browser

QUIET = [
    "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync",
    "--disable-component-update", "--disable-quic", "--autoplay-policy=no-user-gesture-required",
]  # fmt: skip
DESKTOP, PHONE = {"width": 1280, "height": 900}, {"width": 375, "height": 760}


@pytest.fixture(scope="module")
def chromium() -> str:
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None:
        message = "the browser tests were left out: there is no Chromium (on Debian: apt install chromium)"
        if os.environ.get("REQUIRE_BROWSER"):
            pytest.fail(message)
        pytest.skip(message)
    return found


@pytest.fixture(scope="module")
def site(demo_db: Path) -> Iterator[str]:
    """The archived sample show, served as `make serve` does."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = subprocess.Popen(
        [sys.executable, "-m", "pipeline", "serve", "--db", str(demo_db), "--port", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(150):
            try:
                urllib.request.urlopen(address, timeout=1).close()
                break
            except OSError:
                assert server.poll() is None
                time.sleep(0.1)
        yield address
    finally:
        server.terminate()
        server.wait(10)


@pytest.fixture(params=[DESKTOP, PHONE], ids=["desktop", "phone"])
def page(chromium: str, request: pytest.FixtureRequest) -> Iterator[Page]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=QUIET)
        page = browser.new_page(viewport=request.param)
        problems: list[str] = []
        page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: problems.append(str(error)))
        yield page
        browser.close()
        assert problems == []


def current_time(page: Page) -> float:
    return float(page.evaluate("document.querySelector('audio').currentTime"))


def picture(page: Page, name: str, folder: Path) -> None:
    """A screenshot; `make screenshots` has the wide ones put into docs/ for the README."""
    if page.viewport_size == PHONE:
        page.screenshot(path=folder / f"{name}-phone.png")
    else:
        page.screenshot(path=Path(os.environ.get("SCREENSHOTS", folder)) / f"{name}.png")


def wait_for(page: Page, expression: str) -> None:
    """Playwright's own waiting evaluates in the page, which the site's Content-Security-Policy forbids."""
    for _ in range(200):
        if page.evaluate(expression):
            return
        page.wait_for_timeout(50)
    pytest.fail(f"waited in vain for {expression}")


def test_a_pasted_quote_is_found_opened_and_heard_at_its_second(page: Page, site: str, tmp_path: Path) -> None:
    page.goto(site)
    page.get_by_role("searchbox").first.fill("“foster families are hard to find”")
    page.keyboard.press("Enter")
    expect(page.locator("mark").first).to_have_text(re.compile("foster families are hard to find", re.IGNORECASE))
    picture(page, "search", tmp_path)
    link = page.locator("a[href*='?t=']").first
    second = float(re.search(r"[?&]t=([\d.]+)", link.get_attribute("href") or "")[1])
    assert 190 < second < 196  # the truth: 192.3
    link.click()
    wait_for(page, "document.querySelector('audio')?.readyState >= 1")
    wait_for(page, f"Math.abs(document.querySelector('audio').currentTime - {second}) < 0.3")
    page.evaluate("document.querySelector('audio').play()")
    wait_for(page, f"document.querySelector('audio').currentTime > {second} + 0.5")
    assert current_time(page) < second + 10
    assert not page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
    picture(page, "episode", tmp_path)


def test_a_question_plays_from_its_time(page: Page, site: str) -> None:
    page.goto(site)
    page.get_by_role("link", name=re.compile("Northbridge")).first.click()
    wait_for(page, "document.querySelector('audio')?.readyState >= 1")
    question = page.locator("a[href*='t=']", has_text=re.compile(r"^\s*3:1\d")).first  # question 8: 192 s
    question.click()
    wait_for(page, "document.querySelector('audio').currentTime > 189")
    assert current_time(page) < 200


def test_the_tables_are_one_click_away(page: Page, site: str) -> None:
    page.goto(site)
    page.get_by_role("link", name=re.compile("Tables", re.IGNORECASE)).first.click()
    expect(page.get_by_role("link", name="question_times").first).to_be_visible()
