"""Fixtures and helpers: the site, served as by ``make serve``, in a monitored real browser."""

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
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

QUIET = [
    "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync",
    "--disable-component-update", "--disable-quic", "--autoplay-policy=no-user-gesture-required",
]  # fmt: skip
DESKTOP, PHONE = ViewportSize(width=1280, height=900), ViewportSize(width=375, height=760)


@pytest.fixture(scope="module")
def chromium() -> str:
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None:
        message = "the browser tests were left out: there is no Chromium (on Debian: apt install chromium)"
        if os.environ.get("REQUIRE_BROWSER"):
            pytest.fail(message)
        pytest.skip(message)
    return found


@contextmanager
def served(database: Path, *options: str) -> Iterator[tuple[str, Path]]:
    """Serve an archive as `make serve` does; yields the URL, and the file with the server's output."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    printed = database.with_suffix(".out")
    with printed.open("wb") as out:
        server = subprocess.Popen(
            [sys.executable, "-m", "pipeline", "serve", "--db", str(database), "--port", str(port), *options],
            stdout=out,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(600):
            try:
                urllib.request.urlopen(address, timeout=1).close()
                break
            except OSError:
                assert server.poll() is None
                time.sleep(0.1)
        else:
            pytest.fail("the site did not begin to answer")
        yield address, printed
    finally:
        server.terminate()
        server.wait(10)


@pytest.fixture(scope="module")
def site(demo_db: Path) -> Iterator[str]:
    """The URL of the archived sample show."""
    with served(demo_db) as (address, _):
        yield address


@pytest.fixture
def desk(demo_db: Path, tmp_path: Path) -> Iterator[tuple[str, str]]:
    """A copy of the sample show for an editor to work on: its URL, and the one that signs in."""
    shutil.copytree(demo_db.parent, tmp_path / "desk")
    with served(tmp_path / "desk" / demo_db.name, "--root") as (address, printed):
        yield address, printed.read_text().split()[0]


@contextmanager
def launched(chromium: str) -> Iterator[Browser]:
    """A browser. While it is open its thread has an event loop, so a Datasette in this process must be opened first."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=QUIET)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    with launched(chromium) as browser:
        yield browser


@contextmanager
def watched(browser: Browser, **options: Any) -> Iterator[Page]:
    """A page on which any console error, policy violation or request to another host fails the test."""
    context = browser.new_context(**options)
    context.add_init_script(
        "addEventListener('securitypolicyviolation', (e) => console.error(`${e.violatedDirective} ${e.blockedURI}`))"
    )
    page = context.new_page()
    problems: list[str] = []
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("dialog", lambda dialog: problems.append(dialog.message))
    page.on("dialog", lambda dialog: dialog.dismiss())
    page.on("request", lambda request: problems.append(request.url) if not _is_own(request.url) else None)
    yield page
    context.close()
    assert not problems, "\n".join(problems)


def _is_own(url: str) -> bool:
    parts = urlsplit(url)
    return parts.hostname == "127.0.0.1" or parts.scheme in {"about", "data", "blob"}


@pytest.fixture(params=[DESKTOP, PHONE], ids=["desktop", "phone"])
def page(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    if "desk" in request.fixturenames:
        request.getfixturevalue("desk")  # must outlive the page, which may still be loading when a test ends
    with watched(browser, viewport=request.param) as page:
        yield page


def current_time(page: Page) -> float:
    return float(page.evaluate("document.querySelector('audio').currentTime"))


def picture(page: Page, name: str, folder: Path) -> None:
    """Take a screenshot; `make screenshots` saves the wide ones to docs/ for the README."""
    if page.viewport_size == PHONE:
        page.screenshot(path=folder / f"{name}-phone.png")
    else:
        page.screenshot(path=Path(os.environ.get("SCREENSHOTS", folder)) / f"{name}.png")


def wait_for(page: Page, expression: str) -> None:
    """Poll from here: Playwright's own waiting evaluates code in the page, which the site's CSP forbids."""
    for _ in range(200):
        if page.evaluate(expression):
            return
        page.wait_for_timeout(50)
    pytest.fail(f"waited in vain for {expression}")


def open_northbridge(page: Page, site: str) -> None:
    page.goto(site)
    page.get_by_role("link", name=re.compile("Northbridge")).first.click()
    wait_for(page, "document.querySelector('audio')?.readyState >= 1")


@pytest.fixture
def northbridge(page: Page, desk: tuple[str, str]) -> Page:
    """An episode page, signed in as an editor."""
    page.goto(desk[1])
    open_northbridge(page, desk[0])
    return page


def another(page: Page, *, java_script_enabled: bool = True) -> Page:
    """Another page of the same browser, without monitoring."""
    browser = page.context.browser
    assert browser is not None
    return browser.new_context(viewport=page.viewport_size, java_script_enabled=java_script_enabled).new_page()


def go_to(page: Page, second: float) -> None:
    page.evaluate(f"document.querySelector('audio').currentTime = {second}")
    wait_for(page, "!document.querySelector('audio').seeking")
