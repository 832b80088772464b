"""How long searches take in an archive of a million segments, compared with the simplest equivalent FTS5 queries.

    python benchmarks/search.py [--archive .cache/search/million.db] [--queries 40] [--json benchmarks/search.json]

The archive is built first if it does not exist (some minutes, 0.8 GB).
"""

from __future__ import annotations

import contextlib
import json
import platform
import socket
import sqlite3
import statistics
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import click
import httpx

from benchmarks.search_archive import build
from benchmarks.search_queries import Asked, draw
from pipeline.archive.search import PAGE_SIZE, search

WAYS = ("plain SQL", "without snippet()", "search()", "/-/search.json", "/-/search", "Datasette’s table")
Timed = dict[tuple[str, str], list[float]]  # milliseconds by kind of search and way


def timed(function: Callable[[], object]) -> float:
    """Return the milliseconds that a call takes."""
    begun = time.perf_counter()
    function()
    return (time.perf_counter() - begun) * 1000


def page_of(connection: sqlite3.Connection, asked: Asked) -> str | None:
    """Return the page token of the page that is measured; None for the first."""
    if not asked.pages:
        return None
    before = search(connection, asked.text, asked.filters, size=asked.pages * PAGE_SIZE)
    return f"{asked.pages + 1}-{(before.next or '').split('-', 1)[1]}"


def ways_of(
    asked: Asked, page: str | None, archive: Path, connection: sqlite3.Connection, site: httpx.Client
) -> dict[str, Callable[[], object]]:
    """Return the ways to perform the same search."""
    given = {"q": asked.text, "speaker": asked.filters.speaker, "page": page}
    address = urlencode({name: value for name, value in given.items() if value})
    table = urlencode({"_search": asked.match, "_searchmode": "raw", "_size": 20})
    ways: dict[str, Callable[[], object]] = {
        "plain SQL": lambda: connection.execute(asked.sql, asked.values).fetchall(),
        "search()": lambda: search(connection, asked.text, asked.filters, page=page),
        "/-/search.json": lambda: site.get(f"/-/search.json?{address}").raise_for_status(),
        "/-/search": lambda: site.get(f"/-/search?{address}").raise_for_status(),
        "Datasette’s table": lambda: site.get(f"/{archive.stem}/segments.json?{table}"),
    }
    if bare := asked.bare:
        ways["without snippet()"] = lambda: connection.execute(bare, asked.values).fetchall()
    return ways


def measured(archive: Path, site: httpx.Client, queries: int) -> Timed:
    """Time each search in every way, search by search.

    Each way is run once before it is timed, so that none benefits from pages that another had to read into memory; and
    every other search the order is reversed.
    """
    found: Timed = defaultdict(list)
    with contextlib.closing(sqlite3.connect(f"{archive.resolve().as_uri()}?mode=ro", uri=True)) as connection:
        for number, (kind, asked) in enumerate(draw(connection, queries)):
            page = page_of(connection, asked)
            ways = ways_of(asked, page, archive, connection, site)
            for ask in ways.values():
                ask()
            for way in sorted(ways, reverse=number % 2 == 1):
                found[kind, way].append(timed(ways[way]))
    return found


def percentiles(times: list[float]) -> dict[str, float]:
    """Return the median and the 95th and 99th percentiles."""
    ordered = sorted(times)
    return {
        "p50": statistics.median(ordered),
        **{f"p{n}": ordered[min(len(ordered) - 1, round(n / 100 * len(ordered)))] for n in (95, 99)},
    }


def crowded(site: httpx.Client, address: str, words: list[str]) -> dict[str, dict[str, float]]:
    """Time a reader who opens an episode, alone and during fifty concurrent searches."""
    alone = [timed(lambda: site.get(address).raise_for_status()) for _ in range(40)]
    stop = time.monotonic() + 20
    limits = httpx.Limits(max_connections=60)
    with httpx.Client(base_url=site.base_url, timeout=60, limits=limits) as crawler, ThreadPoolExecutor(50) as pool:

        def crawl(n: int) -> int:
            asked = 0
            while time.monotonic() < stop:
                crawler.get("/-/search", params={"q": words[(n + asked * 50) % len(words)]})
                asked += 1
            return asked

        searches = [pool.submit(crawl, n) for n in range(50)]
        time.sleep(1)
        beside = []
        while time.monotonic() < stop - 1:
            beside.append(timed(lambda: site.get(address).raise_for_status()))
        asked = sum(one.result() for one in searches)
    return {
        "a reader alone": percentiles(alone),
        "beside 50 searches": {**percentiles(beside), "searches a second": asked / 20},
    }


def indexing(archive: Path) -> dict[str, dict[str, float]]:
    """Time rebuilding each index in a copy of the archive, and return its size."""
    copy = archive.with_name("copy.db")
    copy.unlink(missing_ok=True)
    with contextlib.closing(sqlite3.connect(archive)) as connection:
        connection.execute("vacuum into ?", [str(copy)])
    found = {}
    with contextlib.closing(sqlite3.connect(copy)) as connection:
        for index in ("segments_fts", "transcripts_fts"):
            seconds = {}
            for what in ("rebuild", "optimize"):
                insert = f"insert into {index}({index}) values (?)"  # noqa: S608 - names from this module
                seconds[what] = timed(lambda: connection.execute(insert, [what])) / 1000  # noqa: B023 - called at once
            connection.commit()
            (size,) = connection.execute(f"select sum(length(block)) from {index}_data").fetchone()  # noqa: S608 - as above
            found[index] = {**seconds, "megabytes": size / 1e6}
    copy.unlink()
    return found


@contextlib.contextmanager
def serving(archive: Path) -> Iterator[httpx.Client]:
    """Serve the archive in a separate process."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "pipeline", "serve", "--db", str(archive), "--port", str(port)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        try:
            with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as site:
                for _ in range(200):
                    with contextlib.suppress(httpx.TransportError):
                        site.get("/-/search?q=the")
                        break
                    time.sleep(0.1)
                yield site
        finally:
            server.terminate()


def report(times: Timed) -> dict[str, dict[str, dict[str, float]]]:
    """Print a table and return its figures."""
    kinds = list(dict.fromkeys(kind for kind, _ in times))
    figures = {kind: {way: percentiles(times[kind, way]) for way in WAYS if (kind, way) in times} for kind in kinds}
    print("| milliseconds: p50 / p95 | " + " | ".join(WAYS) + " | search() / plain |")
    print("|---" * (len(WAYS) + 2) + "|")
    for kind, by_way in figures.items():
        pairs = zip(times[kind, "search()"], times[kind, "plain SQL"], strict=True)
        by_way["search() / plain SQL"] = {"p50": statistics.median(ours / plain for ours, plain in pairs)}
        cells = [f"{by_way[way]['p50']:.1f} / {by_way[way]['p95']:.1f}" if way in by_way else "–" for way in WAYS]
        print(f"| {kind} | " + " | ".join(cells) + f" | {by_way['search() / plain SQL']['p50']:.2f} |")
    return figures


@click.command()
@click.option("--archive", type=click.Path(path_type=Path), default=Path(".cache/search/million.db"))
@click.option("--queries", default=40, help="Of each kind.")
@click.option("--json", "output", type=click.Path(path_type=Path), default=Path("benchmarks/search.json"))
def main(archive: Path, queries: int, output: Path) -> None:
    """Measure."""
    if not archive.exists():
        archive.parent.mkdir(parents=True, exist_ok=True)
        build(archive)
    with contextlib.closing(sqlite3.connect(archive)) as connection:
        (episode,) = connection.execute("select id from episodes order by published desc limit 1").fetchone()
        (segments,) = connection.execute("select count(*) from segments").fetchone()
        words = [row[0].split()[0] for row in connection.execute("select text from segments limit 500")]
    with serving(archive) as site:
        figures: dict[str, Any] = {"searches": report(measured(archive, site, queries))}
        figures["crowd"] = crowded(site, f"/-/episode/{episode}", words)
    print(json.dumps(figures["crowd"], indent=1))
    figures["indexing"] = indexing(archive)
    print(json.dumps(figures["indexing"], indent=1))
    figures["of"] = {
        "segments": segments,
        "machine": platform.machine(),
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "datasette": version("datasette"),
    }
    output.write_text(json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    main()
