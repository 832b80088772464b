"""The size of the page of an hour's interview, and how soon a reader can use it.

Builds an archive with one made-up interview of an hour, serves it as `make serve` does, and opens its page in headless
Chromium, each time in a new browser without a cache. Prints a table and writes JSON.

    python benchmarks/episode_page.py [--rounds 7] [--json benchmarks/episode_page.json]
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import statistics
import tempfile
import time
import urllib.request
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import click
from playwright.sync_api import Page, Playwright, sync_playwright

from pipeline.speech.cores import usable_cores
from tests.support.archive_fixture import opened
from tests.support.browsing import DESKTOP, QUIET, served
from tests.support.hour import build_hour

PLAYED = 5.0  # seconds of playback, during which the page follows the words

# Returns the position of a word in the middle of the screen, and registers when a click on it takes effect.
_CLICK = """() => {
    const passage = document.elementFromPoint(innerWidth * 0.6, innerHeight * 0.6).closest(".passage") ??
        document.querySelectorAll(".passage")[3];
    const text = passage.querySelector(".text").firstChild;
    const range = document.createRange();
    range.setStart(text, 2);
    range.setEnd(text, 3);
    const { x, y, width, height } = range.getBoundingClientRect();
    document.getElementById("player").addEventListener("seeking", () => (window.answered = performance.now()));
    return [x + width / 2, y + height / 2];
}"""
_TIMES = """() => {
    const [page] = performance.getEntriesByType("navigation");
    return { first_byte: page.responseStart, ready: page.domContentLoadedEventEnd };
}"""
_FRAMES = """(seconds) => new Promise((done) => {
    const player = document.getElementById("player");
    const gaps = [];
    let before = performance.now();
    const end = before + seconds * 1000;
    player.muted = true;
    player.play();
    const frame = (now) => {
        gaps.push(now - before);
        before = now;
        if (now < end) requestAnimationFrame(frame);
        else done(gaps);
    };
    requestAnimationFrame(frame);
})"""


@click.command()
@click.option("--rounds", default=7, show_default=True)
@click.option("--json", "output", type=click.Path(path_type=Path), default=Path(__file__).with_suffix(".json"))
def main(rounds: int, output: Path) -> None:
    """Measure, print and write."""
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        raise click.ClickException("there is no Chromium (on Debian: apt install chromium)")
    with tempfile.TemporaryDirectory() as folder:
        database, episode = build_hour(Path(folder))
        with served(database) as (site, _), sync_playwright() as playwright:
            url = f"{site}/-/episode/{episode}"
            _size(url, "gzip")  # the first page is slower: templates are compiled
            sizes = {name: _size(url, name) for name in ("identity", "gzip")}
            results = [_measure(playwright, chromium, url) for _ in range(rounds)]
        work = _server_work(database, f"/-/episode/{episode}", rounds)
    rows = {
        "page, bytes": sizes["identity"],
        "page, bytes compressed": sizes["gzip"],
        "the server at work, ms": round(work, 1),
        **{name: round(statistics.median(result[name] for result in results), 1) for name in results[0]},
    }
    click.echo("| of the page of an hour | median |\n|---|---|")
    for name, value in rows.items():
        click.echo(f"| {name} | {value:,} |")
    about = {
        "cores": usable_cores(),
        "processes waiting for a core": round(os.getloadavg()[0], 1),  # including one or two of ours
        "machine": platform.machine(),
        "python": platform.python_version(),
        "versions": {name: version(name) for name in ("datasette", "playwright")},
        "rounds": rounds,
    }
    output.write_text(json.dumps({"about": about, "rows": rows}, indent=2) + "\n", encoding="utf-8")


def _size(url: str, encoding: str) -> int:
    request = urllib.request.Request(url, headers={"Accept-Encoding": encoding})  # noqa: S310 - our own server
    with urllib.request.urlopen(request) as response:  # noqa: S310 - as above
        return len(response.read())


def _server_work(database: Path, path: str, rounds: int) -> float:
    """The median CPU time for rendering and compressing the page, in milliseconds."""
    spent = []
    with opened(database) as site:
        site.ask(path)
        for _ in range(rounds):
            before = time.process_time()
            site.ask(path, Accept_Encoding="gzip")
            spent.append(1000 * (time.process_time() - before))
    return statistics.median(spent)


def _measure(playwright: Playwright, chromium: str, url: str) -> dict[str, float]:
    """Open the page once; times are in milliseconds since the request."""
    browser = playwright.chromium.launch(executable_path=chromium, args=QUIET)
    try:
        page = browser.new_page(viewport=DESKTOP)
        devtools = page.context.new_cdp_session(page)
        devtools.send("Performance.enable", {"timeDomain": "threadTicks"})  # CPU time of this thread only
        page.goto(url, wait_until="domcontentloaded")
        opening = _busy(devtools.send("Performance.getMetrics"))
        page.mouse.click(*page.evaluate(_CLICK))
        _until(lambda: page.evaluate("window.answered !== undefined"), page)
        times = page.evaluate(_TIMES)
        answered = page.evaluate("window.answered")
        before = _busy(devtools.send("Performance.getMetrics"))
        gaps = sorted(page.evaluate(_FRAMES, PLAYED))
        after = _busy(devtools.send("Performance.getMetrics"))
        return {
            "first byte, ms": times["first_byte"],
            "read and scripts run, ms": times["ready"],
            "the page’s own thread at work, ms": 1000 * opening,
            "first click on a word answered, ms": answered,
            "frames a second while it plays": len(gaps) / PLAYED,
            "frame of a hundred that took longest, ms": gaps[-max(1, len(gaps) // 100)],
            "its thread at work while it plays, %": 100 * (after - before) / PLAYED,
        }
    finally:
        browser.close()


def _busy(metrics: dict[str, list[dict[str, Any]]]) -> float:
    return next(float(one["value"]) for one in metrics["metrics"] if one["name"] == "TaskDuration")


def _until(holds: Callable[[], bool], page: Page) -> None:
    for _ in range(500):
        if holds():
            return
        page.wait_for_timeout(10)
    raise click.ClickException("the click was not answered")


if __name__ == "__main__":
    main()
