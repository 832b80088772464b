"""The programs that the download benchmark compares, each called as its own documentation shows."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

# The commands of one run, one after the other.
Commands = Callable[[Sequence[str], Path], list[list[str]]]


@dataclass(frozen=True, slots=True)
class System:
    """A program: its name with its version, and the commands that archive feeds into a folder."""

    name: str
    commands: Commands


def ours(version: str) -> System:
    """This project, up to the download stage."""

    def commands(feeds: Sequence[str], folder: Path) -> list[list[str]]:
        shows = [
            {"slug": f"show-{n}", "title": f"Show {n}", "url": url, "allow_private": True}
            for n, url in enumerate(feeds)
        ]
        config = folder / "feeds.yaml"
        config.write_text(yaml.safe_dump({"feeds": shows}))
        own = ["--until", "download", "--feeds", str(config), "--db", str(folder / "archive.db"), "--quiet"]
        return [[sys.executable, "-m", "pipeline", "ingest", *own]]

    return System(f"interview-archive {version}", commands)


def podcast_archiver(python: Path, version: str) -> System:
    """Its defaults (four downloads at once), with a database in the folder."""

    def commands(feeds: Sequence[str], folder: Path) -> list[list[str]]:
        named = [part for url in feeds for part in ("--feed", url)]
        own = ["--dir", str(folder), "--database", str(folder / "archive.db"), "--quiet"]
        return [[str(python.with_name("podcast-archiver")), *named, *own]]

    return System(f"podcast-archiver {version}", commands)


def podcast_downloader(python: Path, version: str) -> System:
    """Everything that is listed, into one folder per show."""

    def commands(feeds: Sequence[str], folder: Path) -> list[list[str]]:
        shows = []
        for n, url in enumerate(feeds):
            (folder / f"show-{n}").mkdir(exist_ok=True)
            shows.append({"name": f"Show {n}", "rss_link": url, "path": str(folder / f"show-{n}")})
        config = folder / "config.json"
        config.write_text(json.dumps({"if_directory_empty": "download_all_from_feed", "podcasts": shows}))
        return [[str(python), "-m", "podcast_downloader", "--config", str(config)]]

    return System(f"podcast-downloader {version}", commands)


def curl(version: str) -> System:
    """The addresses of all audio, four at once over persistent connections; curl does not read feeds."""

    def commands(_feeds: Sequence[str], folder: Path) -> list[list[str]]:
        listed = folder / "addresses"
        return [["curl", "--silent", "--fail", "--parallel", "--parallel-max", "4", "--config", str(listed)]]

    return System(f"curl {version}", commands)
