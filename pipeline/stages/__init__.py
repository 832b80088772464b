"""The stages of a run: each reads what the one before it stored, does one thing, and stores the result.

A stage returns an ``Outcome`` for what it did or skipped, and raises ``ArchiveError`` if it failed, which does not stop
the others. A stage that needs the network returns a ``Visit`` instead; visits are run concurrently. Only ``transcribe``
fetches the publisher's transcript of what it hears itself, beside the hearing.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal, NamedTuple

import httpx
from sqlite_utils import Database

from pipeline.align.meaning import Encode
from pipeline.archive.episodes import episodes, ids_of
from pipeline.archive.feeds import resolved_url
from pipeline.audio.decode import check
from pipeline.audio.in_processes import Check
from pipeline.config import Feed
from pipeline.model import Episode
from pipeline.net.local_files import local_folder
from pipeline.progress import Progress
from pipeline.speech.engine import Engine
from pipeline.speech.speakers.voices import VoiceEncoder

RETRY = timedelta(days=7)  # until a page or publisher's transcript that could not be fetched is tried again


class Outcome(NamedTuple):
    """The outcome of one stage of an episode or feed; ``routine`` skips ("already done") are counted but not listed."""

    status: Literal["ok", "skipped"]
    reason: str
    routine: bool = False


@dataclass(frozen=True, slots=True)
class Visit:
    """The network part of a stage, a request to ``host``; it may run in any thread, without the database.

    ``go`` returns a function that stores the result, to be called in the thread that owns the database. The argument of
    ``go`` is a function that it may call when it is done with the server, so that another visit there may begin.
    """

    host: str
    go: Callable[[Callable[[], None]], Callable[[], Outcome]]


@dataclass(frozen=True, slots=True)
class Tools:
    """The dependencies of the stages: database, network, engines, clock. Tests pass in fakes."""

    db: Database
    data: Path  # the folder of the database: audio/, feeds/, transcripts/, vectors/ and models/ lie in it
    folder: Path  # the folder of feeds.yaml: relative addresses start there
    now: Callable[[], str]
    client: Callable[[Feed], httpx.Client]  # one for the whole run, for any thread; never closed by a stage
    engine: Callable[[Feed], Engine]
    voices: Callable[[], VoiceEncoder] | None  # tells voices apart; None: transcripts go without speakers
    encode: Encode | None  # sentence vectors; None: questions are aligned by their wording alone
    progress: Callable[[str, float], AbstractContextManager[Progress]]
    sleep: Callable[[float], None] = time.sleep  # between attempts
    check: Check = check  # decodes a file that came
    again: bool = False  # redo what is already done


def local_root(tools: Tools, feed: Feed) -> Path | None:
    """Return the folder below which a feed may name files of this computer; None for feeds from the web."""
    return local_folder(resolved_url(tools.db, feed.slug))


def is_time_again(last: str, now: str) -> bool:
    """Tell whether ``RETRY`` has passed between two times, or ``last`` was stored while the clock was ahead."""
    ago = datetime.fromisoformat(now) - datetime.fromisoformat(last)
    return not timedelta() <= ago < RETRY


def wanted_episodes(tools: Tools, feed: Feed) -> list[Episode]:
    """Return a feed's episodes, newest first, but for those that feeds.yaml says to skip, by guid or by id."""
    unwanted = ids_of(tools.db, feed.slug, feed.skip) if feed.skip else frozenset()
    return [episode for episode in episodes(tools.db, feed.slug) if episode.id not in unwanted]
