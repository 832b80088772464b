"""Fuzz the parsers of feeds, notes, pages and publishers' transcripts with libFuzzer (atheris): crashes, time, memory.

    nice -n 10 .venv/bin/python benchmarks/fuzz.py [--minutes 10] [--cases 20000] [--out FOLDER] [SEEDS…]

Seeds are the golden files of the tests, and all files in the folders given, such as the tests of feedparser and of
podcastparser (in their source distributions). Only the project's own exceptions may be raised, and no input may take
more than 5 seconds or 2 GB. Inputs that fail are saved, and tracebacks printed, once for each place of origin.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from pathlib import Path

import atheris
import click

with atheris.instrument_imports(include=["pipeline.feeds", "html.parser"]):
    from pipeline.errors import ArchiveError
    from pipeline.feeds.fetch import FeedBody
    from pipeline.feeds.notes import sanitise, to_text
    from pipeline.feeds.page import read_page
    from pipeline.feeds.parse import parse_feed
    from pipeline.feeds.people import find_people
    from pipeline.feeds.questions import find_questions
    from pipeline.feeds.transcripts import find_transcript, read_transcript

GOLDEN = Path(__file__).parent.parent / "tests/data"
ADDRESS = "https://example.org/shows/feed.xml"
MAX_SECONDS = 5.0
MAX_BYTES = 20_000
MAX_MEGABYTES = 2048
WORDS = (
    *("<ol>", "</ol>", "<li>", "<ul>", "<table>", "<tr>", "<td>", "<br>", "<p>", "</p>", "<div>", "<b>", "<article>"),
    *("<script>", "</script>", "<!--", "-->", "<![CDATA[", "]]>", "<title>", "<item>", "</item>", "<entry>", "<guid>"),
    *("1) ", "2) ", "1. ", "Q: ", "A: ", "Q1 ", "a) ", "• ", "?\n", ": ", "; ", "03:12 ", "WEBVTT\n", " --> "),
    *("questions", "We asked:", "Guests: ", " talks to ", " is joined by ", ", director of ", "Dr ", "O’", "&#x202e;"),
)


def doors(data: bytes) -> None:
    """Read bytes with each of the project's parsers of what others publish."""
    if b"<rss" in data or b"<feed" in data or b"<rdf" in data:
        _own_errors(lambda: parse_feed(FeedBody(data, "", ADDRESS)))
        return
    _own_errors(lambda: read_transcript(data))
    page = read_page(data, content_type="text/html", address=ADDRESS)
    for text in (page.text, data.decode("utf-8", errors="replace")):
        shown, plain = sanitise(text, base=ADDRESS), to_text(text)
        if sanitise(shown, base=ADDRESS) != shown:
            raise AssertionError("what was sanitised is sanitised further")
        for question in find_questions(plain):
            question.text.encode()
        find_people(plain[:200], plain)
        find_transcript(plain)


def _own_errors(read: Callable[[], object]) -> None:
    try:
        read()
    except ArchiveError:
        return


class Fuzzer:
    """Counts cases, and saves findings."""

    def __init__(self, *, minutes: float, cases: int, out: Path) -> None:
        self._end = time.monotonic() + minutes * 60
        self._most = cases
        self._out = out
        self._cases = 0
        self._slowest = 0.0
        self._found: dict[str, str] = {}

    def __call__(self, data: bytes) -> None:
        """Try one input."""
        began = time.monotonic()
        try:
            doors(data)
        except Exception as error:  # noqa: BLE001 - that is what is looked for
            self._find(error, data)
        seconds = time.monotonic() - began
        self._slowest = max(self._slowest, seconds)
        if seconds > MAX_SECONDS:
            self._find(TimeoutError(f"took {seconds:.0f} s"), data)
        self._cases += 1
        if self._cases >= self._most or time.monotonic() > self._end:
            self._finish()

    def _find(self, error: Exception, data: bytes) -> None:
        frames = traceback.extract_tb(error.__traceback__)
        place = f"{type(error).__name__} at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "slow"
        if place not in self._found:
            self._found[place] = str(error)
            (self._out / f"finding-{len(self._found)}.bin").write_bytes(data)
            print("".join(traceback.format_exception(error)), file=sys.stderr)

    def _finish(self) -> None:
        report = {"cases": self._cases, "slowest_seconds": round(self._slowest, 2), "findings": self._found}
        print(json.dumps(report, indent=1), flush=True)
        os._exit(3 if self._found else 0)  # exit codes that libFuzzer itself does not use


@click.command()
@click.argument("seeds", nargs=-1, type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--minutes", default=10.0, show_default=True, help="How long at most.")
@click.option("--cases", default=1_000_000, show_default=True, help="How many at most.")
@click.option(
    "--out", type=click.Path(file_okay=False, path_type=Path), help="Where findings go, else a temporary one."
)
def main(seeds: tuple[Path, ...], minutes: float, cases: int, out: Path | None) -> None:
    """Fuzz until the time is over or the cases are done."""
    out = out or Path(tempfile.mkdtemp(prefix="fuzz-"))
    corpus = out / "corpus"
    corpus.mkdir(parents=True, exist_ok=True)
    files = [path for folder in (GOLDEN, *seeds) for path in sorted(folder.rglob("*")) if path.is_file()]
    for number, path in enumerate(path for path in files if path.suffix not in {".json", ".py"}):
        (corpus / str(number)).write_bytes(path.read_bytes()[:MAX_BYTES])
    (out / "words.dict").write_text("".join(f'"{_escaped(word)}"\n' for word in WORDS))
    options = [
        "-verbosity=0",
        f"-max_len={MAX_BYTES}",
        f"-dict={out / 'words.dict'}",
        f"-rss_limit_mb={MAX_MEGABYTES}",
        "-timeout=60",
    ]
    click.echo(f"findings go to {out}", err=True)
    atheris.Setup([sys.argv[0], *options, str(corpus)], Fuzzer(minutes=minutes, cases=cases, out=out))
    atheris.Fuzz()


def _escaped(word: str) -> str:
    """Escape a word for libFuzzer's dictionaries: every byte in hexadecimal."""
    return "".join(f"\\x{byte:02x}" for byte in word.encode())


if __name__ == "__main__":
    main()
