"""Whether quotations of six words are found in real interviews: wherever they are said, once, at the right second.

    python benchmarks/quotes.py [--interviews ../shared/alignment] [--audio ../shared/audio] [--quotes 2000]

Each text is put into an archive as a transcript. The truth is read from the texts and times themselves, without an
index. The interviews have exact times of paragraphs or sentences, over which their words are spread evenly; the
recordings have manual times of each word.
"""

from __future__ import annotations

import contextlib
import json
import random
import sqlite3
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import groupby
from pathlib import Path

import click
from sqlite_utils import Database

from benchmarks.search import percentiles
from pipeline.archive.database import writer
from pipeline.archive.search import search
from pipeline.archive.search.variants import otherwise_written
from pipeline.model import Segment, Word
from tests.support.building import add_feed, add_transcript, episode
from tests.support.searching import quotable

SEED, WORDS = 5, 6
BY_HAND = "timed by hand"
RIGHT = 0.3  # seconds by which the start of a hit may differ from its first word's
ALL = 1_000  # hits of one quotation, which is more than there are
_LONGEST = 12  # words per segment made from the recordings, which only have words


@dataclass(frozen=True, slots=True)
class Said:
    """A transcript: its set, its episode, and each of its words, folded, with its start and its segment's number."""

    of: str
    episode: str
    words: tuple[tuple[str, float, int], ...]

    @classmethod
    def in_segments(cls, of: str, number: str, segments: Sequence[Segment]) -> Said:
        """Read the words of segments."""
        spoken = ((word, n) for n, segment in enumerate(segments) for word in segment.words)
        return cls(of, number, tuple((one, word.start, n) for word, n in spoken for one in quotable(word.text)))


def interviews(folder: Path) -> Iterator[tuple[str, tuple[Segment, ...]]]:
    """Yield the set and the segments of each interview, without the cut versions of the same interviews."""
    for path in sorted(folder.glob("*.json")):
        facts = json.loads(path.read_text(encoding="utf-8"))
        if not facts["set"].endswith("_cut"):
            yield facts["set"], tuple(_spread(**one) for one in facts["segments"] if one["text"].split())


def recordings(folder: Path) -> Iterator[tuple[str, tuple[Segment, ...]]]:
    """Yield the segments of each recording whose words have times: runs of one speaker's words, cut into pieces."""
    for path in sorted(folder.glob("*.json")):
        words = json.loads(path.read_text(encoding="utf-8"))["words"]
        if words and "start" in words[0]:
            words.sort(key=lambda word: word["start"])
            turns = groupby(enumerate(words), key=lambda one: (one[1].get("speaker"), one[0] // _LONGEST))
            yield BY_HAND, tuple(_segment([word for _, word in turn]) for _, turn in turns)


def _spread(start: float, end: float, speaker: str, text: str) -> Segment:
    """A segment with its words spread over its time, in proportion to their letters."""
    spoken, letters, words = text.split(), len("".join(text.split())), list[Word]()
    for word in spoken:
        begun = words[-1].end if words else start
        words.append(Word(begun, begun + (end - start) * len(word) / letters, word, 1.0))
    return Segment(start, end, text, tuple(words), speaker, 1.0)


def _segment(words: Sequence[dict[str, float | str]]) -> Segment:
    spoken = tuple(Word(float(one["start"]), float(one["end"]), str(one["text"]), 1.0) for one in words)
    text = " ".join(word.text for word in spoken)
    return Segment(spoken[0].start, spoken[-1].end, text, spoken, confidence=1.0)


def build(db: Database, texts: Sequence[tuple[str, tuple[Segment, ...]]]) -> list[Said]:
    """Put texts into an archive, each as an episode of its own, and return their words."""
    ids = add_feed(db, "show", *(episode(str(n)) for n in range(len(texts))))
    for number, (_, segments) in zip(ids, texts, strict=True):
        add_transcript(db, number, segments, sha256=sha256(number.encode()).hexdigest())
    return [Said.in_segments(of, number, segments) for number, (of, segments) in zip(ids, texts, strict=True)]


def in_one_spelling(words: Sequence[str]) -> tuple[str, ...]:
    """Return the words, each in the first of its spellings (five, 5) in sort order."""
    return tuple(min(word, otherwise_written(word) or word) for word in words)


class Truth:
    """The places of each quotation, read from the words alone."""

    def __init__(self, texts: Sequence[Said]) -> None:
        self.places: dict[tuple[str, ...], list[tuple[str, float]]] = defaultdict(list)
        self.quotations: list[tuple[str, tuple[str, ...], bool]] = []  # by set; whether it runs across segments
        for text in texts:
            for n in range(len(text.words) - WORDS + 1):
                said = text.words[n : n + WORDS]
                quotation = tuple(word for word, _, _ in said)
                self.places[in_one_spelling(quotation)].append((text.episode, said[0][1]))
                self.quotations.append((text.of, quotation, said[0][2] != said[-1][2]))

    def draw(self, number: int) -> list[tuple[str, tuple[str, ...], bool]]:
        """Return ``number`` random quotations, less those of the recordings, and all of the recordings (short)."""
        chance = random.Random(SEED)  # noqa: S311 - reproducible
        drawn = [chance.choice(self.quotations) for _ in range(number)]
        return [*(one for one in drawn if one[0] != BY_HAND), *(one for one in self.quotations if one[0] == BY_HAND)]


@dataclass
class Counts:
    """The results of the quotations of one set."""

    quotations: int = 0
    across: int = 0  # quotations that run across segments at the place drawn
    said: int = 0  # places at which they are said
    found: int = 0
    twice: int = 0  # surplus hits: false ones, or of a place that was already found
    right: int = 0  # of those found, at the right second
    furthest: float = 0.0  # the largest error, in seconds

    def add(self, said: Sequence[tuple[str, float]], hits: Sequence[tuple[str, float]], *, across: bool) -> None:
        """Count one quotation; in each episode its hits and places are matched in order."""
        self.quotations += 1
        self.across += across
        self.said += len(said)
        for number in {number for number, _ in (*said, *hits)}:
            places, starts = (sorted(second for one, second in of if one == number) for of in (said, hits))
            self.found += min(len(places), len(starts))
            self.twice += max(len(starts) - len(places), 0)
            for place, start in zip(places, starts, strict=False):
                self.right += abs(place - start) <= RIGHT
                self.furthest = max(self.furthest, abs(place - start))

    def figures(self) -> dict[str, float]:
        """Return the counts and shares."""
        return {
            "quotations": self.quotations,
            "across segments": self.across,
            "said": self.said,
            "recall": self.found / self.said if self.said else 1.0,
            "twice": self.twice,
            "second right": self.right / self.found if self.found else 0.0,
            "furthest": round(self.furthest, 3),
        }


def measure(connection: sqlite3.Connection, truth: Truth, number: int) -> tuple[dict[str, Counts], list[float]]:
    """Search for ``number`` random quotations; also return the milliseconds that each took."""
    counts, times = defaultdict[str, Counts](Counts), list[float]()
    for of, quotation, across in truth.draw(number):
        begun = time.perf_counter()
        hits = search(connection, f'"{" ".join(quotation)}"', size=ALL).hits
        times.append((time.perf_counter() - begun) * 1000)
        for one in (of, "all"):
            counts[one].add(
                truth.places[in_one_spelling(quotation)], [(hit.episode, hit.start) for hit in hits], across=across
            )
    return dict(sorted(counts.items(), key=lambda item: (item[0] == "all", item[0]))), times


@click.command()
@click.option("--interviews", "texts", type=click.Path(path_type=Path), default=Path("../shared/alignment"))
@click.option("--audio", type=click.Path(path_type=Path), default=Path("../shared/audio"))
@click.option("--quotes", default=2_000, help="Of them all.")
@click.option("--json", "output", type=click.Path(path_type=Path), default=Path("benchmarks/quotes.json"))
def main(texts: Path, audio: Path, quotes: int, output: Path) -> None:
    """Measure, or say what is missing and leave the figures as they are."""
    missing = [str(folder) for folder in (texts, audio) if not any(folder.glob("*.json"))]
    if missing:
        click.echo(f"Left out, {output} stays as it is: there is nothing in {' and '.join(missing)}.", err=True)
        sys.exit(0)
    with tempfile.TemporaryDirectory() as folder:
        archive = Path(folder) / "quotes.db"
        with writer(archive) as db:
            said = build(db, [*interviews(texts), *recordings(audio)])
        with contextlib.closing(sqlite3.connect(f"{archive.as_uri()}?mode=ro", uri=True)) as connection:
            counts, times = measure(connection, Truth(said), quotes)
    rows = {of: one.figures() for of, one in counts.items()}
    names = list(rows["all"])
    click.echo(f"| of | {' | '.join(names)} |\n|{'---|' * (1 + len(names))}")
    for of, figures in rows.items():
        click.echo(f"| {of} | {' | '.join(f'{figures[name]:g}' for name in names)} |")
    about = {"transcripts": len(said), "words": sum(len(one.words) for one in said), "seed": SEED}
    output.write_text(
        json.dumps({"quotations": rows, "milliseconds": percentiles(times), "of": about}, indent=1) + "\n"
    )


if __name__ == "__main__":
    main()
