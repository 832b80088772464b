"""How fast episodes are archived, what a run costs that finds nothing new, and how a very large file is downloaded.

    python -m venv .cache/peers && .cache/peers/bin/pip install podcast-archiver==2.3.5 podcast-downloader==0.8.2
    python benchmarks/acquire.py [--peers .cache/peers] [--rounds 3]

Every program archives from the same host on loopback into an empty folder, one after the other, again in each round.
Peers that are not installed are left out. Prints a table and writes JSON.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any
from urllib.request import urlopen

import click

from benchmarks.acquire_systems import System, curl, ours, podcast_archiver, podcast_downloader
from pipeline import __version__

EPISODES, FEEDS, EPISODES_A_FEED = 1000, 200, 10
AWAY = 0.04  # seconds of round trip to a distant host
RATE = 10.0  # the most megabytes per second that it sends over one connection
QUIET_ENVIRONMENT = {**os.environ, "NO_PROXY": "*", "no_proxy": "*"}


@dataclass(frozen=True, slots=True)
class Run:
    """One run of one program: ``seconds`` in all, of which the host needed ``sending`` to send the audio."""

    task: str
    system: str
    seconds: float
    sending: float
    megabytes: float  # peak memory
    requests: dict[str, int]
    files: int


def make_mp3(path: Path, size: int) -> None:
    """Write about ``size`` bytes of stereo MP3 at 128 kbit/s, like most podcasts."""
    # Not in this process, since a program's peak memory includes that of its parent when it was started.
    subprocess.run([sys.executable, "benchmarks/acquire_audio.py", str(path), str(size)], check=True)


@contextmanager
def host(audio: Path, *options: str, feeds: int, episodes: int) -> Iterator[str]:
    """Run the host in a separate process; yield its address."""
    own = [f"--feeds={feeds}", f"--episodes={episodes}", *options]
    command = [sys.executable, "benchmarks/acquire_server.py", str(audio), *own]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield next(iter(process.stdout or ())).strip()
        finally:
            process.kill()


def measured(task: str, system: System, address: str, folder: Path, *, feeds: int, episodes: int) -> Run:
    """Run one program, archiving into ``folder``, and measure it."""
    _told(address)
    addresses = [f"{address}/feed/{n}" for n in range(feeds)]
    _list_audio(address, folder, feeds, episodes)
    began, peak = time.monotonic(), 0
    for command in system.commands(addresses, folder):
        with (folder / "said").open("w+") as said:
            process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=said, env=QUIET_ENVIRONMENT)
            _, status, usage = os.wait4(process.pid, 0)
        if status:
            last = (folder / "said").read_text()[-2000:]
            raise click.ClickException(f"{system.name} ended with {os.waitstatus_to_exitcode(status)}: {last}")
        peak = max(peak, usage.ru_maxrss)
    seconds = time.monotonic() - began
    told = _told(address)
    files = sum(1 for path in folder.rglob("*.mp3") if path.is_file())
    return Run(task, system.name, seconds, told["seconds"], peak / 1024, told["asked"], files)


def _list_audio(address: str, folder: Path, feeds: int, episodes: int) -> None:
    """Write the addresses and file names for curl."""
    lines = [
        f'url = "{address}/audio/{feed}-{episode}.mp3"\noutput = "{folder}/{feed}-{episode}.mp3"'
        for feed in range(feeds)
        for episode in range(1, episodes + 1)
    ]
    (folder / "addresses").write_text("\n".join(lines))


def _told(address: str) -> dict[str, Any]:
    with urlopen(f"{address}/count") as answer:  # noqa: S310 - our own server
        found: dict[str, Any] = json.load(answer)
    return found


def systems(peers: Path) -> list[System]:
    """Return the programs that are installed."""
    found = [ours(__version__), curl(_version(["curl", "--version"]).split()[1])]
    python = peers.absolute() / "bin" / "python"
    if python.exists():
        shown = "import importlib.metadata as m; print(m.version('{}'))"
        found.append(podcast_archiver(python, _version([str(python), "-c", shown.format("podcast-archiver")])))
        found.append(podcast_downloader(python, _version([str(python), "-c", shown.format("podcast_downloader")])))
    else:
        click.echo(f"{peers}: the peers are not installed there and are left out", err=True)
    return found


def _version(command: Sequence[str]) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def archive_many(here: Path, chosen: Sequence[System], episodes: int) -> Iterator[Run]:
    """Archive episodes of 1 MB of one show from scratch."""
    make_mp3(here / "one.mp3", 1_000_000)
    with host(here / "one.mp3", feeds=1, episodes=episodes) as address:
        for system in chosen:
            with _folder(here) as folder:
                yield measured("1,000 episodes", system, address, folder, feeds=1, episodes=episodes)


def archive_from_afar(here: Path, chosen: Sequence[System], episodes: int) -> Iterator[Run]:
    """The same from a host with a realistic round trip time and rate."""
    make_mp3(here / "one.mp3", 1_000_000)
    with host(here / "one.mp3", f"--away={AWAY}", f"--rate={RATE}", feeds=1, episodes=episodes) as address:
        for system in chosen:
            with _folder(here) as folder:
                yield measured("1,000 episodes from afar", system, address, folder, feeds=1, episodes=episodes)


def nothing_new(here: Path, chosen: Sequence[System], feeds: int) -> Iterator[Run]:
    """A second run over shows that are completely archived."""
    make_mp3(here / "tiny.mp3", 20_000)
    with host(here / "tiny.mp3", feeds=feeds, episodes=EPISODES_A_FEED) as address:
        for system in chosen:
            if system.name.startswith("curl"):
                continue
            with _folder(here) as folder:
                measured("first", system, address, folder, feeds=feeds, episodes=EPISODES_A_FEED)
                yield measured("nothing new", system, address, folder, feeds=feeds, episodes=EPISODES_A_FEED)


def one_large(here: Path, chosen: Sequence[System], size: int) -> Iterator[Run]:
    """Archive one file of ``size`` bytes."""
    make_mp3(here / "part.mp3", 10_000_000)
    part = (here / "part.mp3").read_bytes()
    with (here / "large.mp3").open("wb") as file:
        for _ in range(size // len(part)):
            file.write(part)
    with host(here / "large.mp3", feeds=1, episodes=1) as address:
        for system in chosen:
            with _folder(here) as folder:
                yield measured("one of 1 GB", system, address, folder, feeds=1, episodes=1)


@contextmanager
def _folder(here: Path) -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(dir=here))
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def table(runs: Sequence[Run]) -> Iterator[str]:
    """Yield the medians, one line per task and program."""
    yield "| task | program | seconds | host sending | memory | files | requests |\n|---|---|---|---|---|---|---|"
    for task, system in dict.fromkeys((run.task, run.system) for run in runs):
        mine = [run for run in runs if (run.task, run.system) == (task, system)]
        seconds, sending = median(run.seconds for run in mine), median(run.sending for run in mine)
        files = mine[-1].files
        asked = ", ".join(f"{count} {what}" for what, count in sorted(Counter(mine[-1].requests).items()))
        memory = max(run.megabytes for run in mine)
        yield f"| {task} | {system} | {seconds:.2f} | {sending:.2f} | {memory:.0f} MB | {files} | {asked or '–'} |"


@click.command()
@click.option("--peers", type=click.Path(path_type=Path), default=Path(".cache/peers"), show_default=True)
@click.option("--rounds", default=3, show_default=True)
@click.option("--episodes", default=EPISODES, show_default=True)
@click.option("--feeds", default=FEEDS, show_default=True)
@click.option("--megabytes", default=1000, show_default=True, help="The size of the one large file.")
@click.option(
    "--json", "output", type=click.Path(path_type=Path), default=Path("benchmarks/acquire.json"), show_default=True
)
def main(peers: Path, rounds: int, episodes: int, feeds: int, megabytes: int, output: Path) -> None:
    """Measure, print and write."""
    chosen = systems(peers)
    runs: list[Run] = []
    with tempfile.TemporaryDirectory() as here:
        for number in range(rounds):
            order = chosen if number % 2 == 0 else chosen[::-1]
            for run in (
                *archive_many(Path(here), order, episodes),
                *archive_from_afar(Path(here), order, episodes),
                *nothing_new(Path(here), order, feeds),
                *one_large(Path(here), [one for one in order if one.name.split()[0] in {"interview-archive", "curl"}],
                           megabytes * 1_000_000),
            ):  # fmt: skip
                click.echo(f"{run.task}, {run.system}: {run.seconds:.2f} s", err=True)
                runs.append(run)
    for line in table(runs):
        click.echo(line)
    output.write_text(json.dumps([asdict(run) for run in runs], indent=1) + "\n")


if __name__ == "__main__":
    main()
