"""A soak test: many feeds on hosts that answer a fifth of all requests badly, and runs killed at any moment.

    python -m tests.support.soaking [--feeds 200] [--episodes 2000] [--kills 20] [--seed 1]

At the end every episode must be archived once and byte for byte, without unfinished files, and the database be sound;
prints what happened, and exits with 1 otherwise.
"""

from __future__ import annotations

import hashlib
import math
import os
import random
import sqlite3
import struct
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock

import click
import yaml

from tests.support.misbehaving import (
    Answer,
    Behaviour,
    Request,
    Server,
    cut,
    gzipped,
    page,
    redirect,
    rest,
    seekable,
    serving,
)

RATE = 8000  # Hz
BAD = 0.2  # of all answers
HOSTS = 8
FEED = '<?xml version="1.0"?><rss version="2.0"><channel><title>{title}</title>{items}</channel></rss>'
ITEM = (
    "<item><guid>{name}</guid><title>Episode {name}</title>"
    '<enclosure url="{url}" length="{length}" type="audio/wav"/></item>'
)


def sound(name: str) -> bytes:
    """A tone of about a second, unique to its episode, as WAV."""
    chance = random.Random(name)  # noqa: S311 - not for secrets
    pitch, count = chance.uniform(200, 2000), chance.randrange(2000, 30_000)
    samples = [int(9000 * math.sin(2 * math.pi * pitch * n / RATE)) for n in range(256)]
    data = struct.pack("<256h", *samples) * (count // 256) + name.encode().ljust(64, b"\0")
    head = struct.pack("<4sI4s4sIHHIIHH4sI", b"RIFF", 36 + len(data), b"WAVE", b"fmt ", 16, 1, 1, RATE, 2 * RATE, 2, 16,
                       b"data", len(data))  # fmt: skip
    return head + data


@dataclass
class Weather:
    """Decides which requests are answered badly, and how; the same for the same seed and order of requests."""

    chance: random.Random
    bad: float = BAD
    lock: Lock = field(default_factory=Lock)
    seen: Counter[str] = field(default_factory=Counter)

    def over(self, behaviour: Behaviour, body: bytes) -> Callable[[Request], Answer]:
        """Answer as ``behaviour`` does, most of the time."""

        def answer(request: Request) -> Answer:
            with self.lock:
                is_bad = self.chance.random() < self.bad
                name, fault = self.chance.choice(list(FAULTS.items()))
                after = self.chance.randrange(1, len(body))
            chosen = fault(behaviour, body, after) if is_bad else behaviour
            with self.lock:
                self.seen[name if is_bad else "none"] += 1
            return chosen if isinstance(chosen, Answer) else chosen(request)

        return answer


FAULTS: dict[str, Callable[[Behaviour, bytes, int], Behaviour]] = {
    "cut": lambda sound, _, after: cut(sound, after),
    "reset": lambda sound, _, after: cut(sound, after, ending="reset"),
    "chunks without end": lambda _, body, after: Answer(body[:after], framing="chunked", ending="cut"),
    "error 500": lambda *_: Answer(status=500),
    "error 503": lambda *_: Answer(status=503, headers={"Retry-After": "0"}),
    "too many requests": lambda *_: Answer(status=429, headers={"Retry-After": "1"}),
    "not there": lambda *_: Answer(status=404),
    "web page": lambda *_: page(),
    "packed": lambda _, body, __: gzipped(body),
    "other bytes": lambda _, body, after: Answer(body[after:][::-1], status=206, headers={
        "Content-Range": f"bytes {after}-{len(body) - 1}/{len(body)}", "ETag": '"another"'}),
    "a part unasked": lambda _, body, after: rest(body, after),
    "no such part": lambda *_: Answer(status=416),
    "in a circle": lambda *_: redirect("?again"),
    "to a file": lambda *_: redirect("file:///etc/hostname"),
    "other ETag": lambda _, body, __: Answer(body, headers={"ETag": '"new"'}),
    "too long": lambda _, body, __: Answer(body, declared=len(body) + 9),
}  # fmt: skip


def give_all(servers: Sequence[Server], weather: Weather, feeds: int, episodes: int) -> dict[str, str]:
    """Publish all feeds and episodes on the servers; return each feed's URL by its slug."""
    addresses = {}
    for number in range(feeds):
        server = servers[number % len(servers)]
        items = []
        for name in (f"{number}-{n}" for n in range(number, episodes, feeds)):
            body = sound(name)
            etag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
            url = server.give(f"/{name}.wav", weather.over(seekable(body, ETag=etag), body))
            items.append(ITEM.format(name=name, url=url, length=len(body)))
        feed = FEED.format(title=f"Show {number}", items="".join(items)).encode()
        steady = Answer(feed, headers={"ETag": f'"{number}"', "Content-Type": "application/rss+xml"})
        addresses[f"show-{number}"] = server.give(f"/{number}.xml", weather.over(steady, feed))
    return addresses


def pipeline(folder: Path, verb: str) -> subprocess.Popen[bytes]:
    """Start one stage of the real program."""
    command = [sys.executable, "-m", "pipeline", verb, "--feeds", str(folder / "feeds.yaml")]
    said = (folder / "said.txt").open("ab")
    with said:
        return subprocess.Popen([*command, "--db", str(folder / "a.db"), "--quiet"], stdout=said, stderr=said)


def soak(folder: Path, *, feeds: int, episodes: int, kills: int, seed: int) -> Iterator[str]:
    """Run the soak test, and return a summary.

    Raises:
        AssertionError: something was lost, duplicated or left behind.
    """
    chance = random.Random(seed)  # noqa: S311 - as above
    weather = Weather(random.Random(seed + 1))  # noqa: S311
    with ExitStack() as stack:
        servers = [stack.enter_context(serving()) for _ in range(min(HOSTS, feeds))]
        addresses = give_all(servers, weather, feeds, episodes)
        shows = [{"slug": slug, "title": slug, "url": url, "allow_private": True, "max_mb": 1}
                 for slug, url in addresses.items()]  # fmt: skip
        (folder / "feeds.yaml").write_text(yaml.safe_dump({"feeds": shows}))
        for number in range(kills):
            process = pipeline(folder, "poll" if number % 4 == 0 else "download")
            until = weather.seen.total() + chance.randrange(1, 2 + episodes // 10)
            while process.poll() is None and weather.seen.total() < until:
                time.sleep(0.01)
            time.sleep(chance.uniform(0.0, 0.2))
            process.kill()
            process.wait()
            yield f"kill {number + 1}: {_archived(folder)} archived, {_integrity(folder)}"
        weathered = 0
        while weathered < 2 or _archived(folder) < episodes:
            weather.bad = BAD if weathered < 2 else 0.0  # repeated failures eventually succeed
            codes = [pipeline(folder, verb).wait() for verb in ("poll", "download")]
            assert set(codes) <= {0, 3}, (folder / "said.txt").read_text()[-2000:]
            assert weathered < 4, f"{episodes - _archived(folder)} episodes are never archived"
            weathered += 1
        yield f"answers: {dict(weather.seen.most_common())}"
    yield _proof(folder, {f"{number}-{n}" for number in range(feeds) for n in range(number, episodes, feeds)})


def _proof(folder: Path, names: set[str]) -> str:
    """Check that everything is archived once, byte for byte, and nothing else."""
    with closing(sqlite3.connect(folder / "a.db")) as db:
        rows = db.execute("select e.guid, r.sha256, r.path from renditions r join episodes e on e.id = r.episode")
        kept = [(name, sha256, (folder / path).read_bytes()) for name, sha256, path in rows]
        assert db.execute("select count(*) from episodes").fetchone() == (len(names),)
    assert sorted(name for name, _, _ in kept) == sorted(names), "something is missing or doubled"
    for name, sha256, body in kept:
        assert body == sound(name), f"{name} is not what was served"
        assert hashlib.sha256(body).hexdigest() == sha256
    files = [path for path in (folder / "audio").rglob("*") if path.is_file()]
    assert len(files) == len(kept), "a file is left that nothing names"
    assert _integrity(folder) == "ok"
    return f"{len(kept)} episodes, each once and byte for byte; no other file; the database is sound"


def _archived(folder: Path) -> int:
    return int(_query(folder, "select count(*) from renditions", "0"))


def _integrity(folder: Path) -> str:
    return _query(folder, "pragma integrity_check", "no database yet")


def _query(folder: Path, sql: str, otherwise: str) -> str:
    if not (folder / "a.db").exists():
        return otherwise
    with closing(sqlite3.connect(folder / "a.db")) as db:
        try:
            return str(db.execute(sql).fetchone()[0])
        except sqlite3.OperationalError:  # the tables do not exist yet
            return otherwise


@click.command()
@click.option("--feeds", default=200, show_default=True)
@click.option("--episodes", default=2000, show_default=True)
@click.option("--kills", default=20, show_default=True)
@click.option("--seed", default=1, show_default=True)
def main(feeds: int, episodes: int, kills: int, seed: int) -> None:
    """Run the soak test, and print the result."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        try:
            for line in soak(Path(folder), feeds=feeds, episodes=episodes, kills=kills, seed=seed):
                click.echo(f"{time.monotonic() - began:6.1f} s  {line}")
        except AssertionError as error:
            raise click.ClickException(f"{error}\n{(Path(folder) / 'said.txt').read_text()[-3000:]}") from error


if __name__ == "__main__":
    os.environ["NO_PROXY"] = "*"
    main()
