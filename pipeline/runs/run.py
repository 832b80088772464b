"""Assembling a run: the locked database and the real network, engines and clock are passed to the stages."""

from __future__ import annotations

import signal
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from functools import cache
from pathlib import Path
from threading import Lock
from types import FrameType

import httpx
from sqlite_utils import Database

from pipeline.archive.database import reader, writer
from pipeline.archive.published_copy import refuse_published
from pipeline.archive.schema import migrations
from pipeline.audio.decode import check
from pipeline.audio.in_processes import Check, checks_in_processes
from pipeline.config import Config, Feed
from pipeline.data_folder import MODELS
from pipeline.model import STAGES, StageName
from pipeline.net.client import USER_AGENT, make_client
from pipeline.net.courtesy import Courtesy
from pipeline.net.urls import has_login, variables
from pipeline.progress import Progress
from pipeline.runs.health import write_health
from pipeline.runs.ingest import check_only, ingest, with_kept
from pipeline.runs.planning import Planned, plan
from pipeline.runs.report import Report
from pipeline.runs.selection import EVERYTHING, Selection
from pipeline.runs.talk import Talk
from pipeline.speech.cores import usable_cores
from pipeline.speech.engine import Engine, make_engine
from pipeline.speech.speakers.voices import VoiceEncoder
from pipeline.stages import Tools
from pipeline.stages.vector_cache import vectors
from pipeline.times import utc_now
from pipeline.whisper_models import EngineName


def run(
    config: Config,
    database: Path,
    talk: Talk,
    *,
    stages: Sequence[StageName] = STAGES,
    selection: Selection = EVERYTHING,
    again: bool = False,
) -> Report:
    """Run stages of the pipeline on ``database``, and write its health file.

    Raises:
        ConfigError: the database is a published copy.
        LockedError, DatabaseError: the database cannot be written.
    """
    with terminable(), writer(database) as db, clients() as client, checks_in_processes(usable_cores()) as check:
        tools = _tools(db, config, database, client, progress=talk.progress, again=again, check=check)
        try:
            report = ingest(config, tools, stages=stages, selection=selection, say=talk.item)
        finally:
            write_health(database, db.conn, now=utc_now())
    talk.report(report)
    return report


def dry_run(
    config: Config, database: Path, *, stages: Sequence[StageName], selection: Selection, again: bool
) -> tuple[Planned, ...]:
    """Return what ``run`` would do, as far as is known without network access. Nothing is changed or created.

    Raises:
        ConfigError: ``selection.only`` names no known feed or episode, or the database is a published copy.
        DatabaseError: the database cannot be read, or was made by an older version.
    """
    with _readable(database) as db, clients() as client:
        tools = _tools(db, config, database, client, progress=Talk(quiet=True).progress, again=again)
        whole = with_kept(config, db, stages)
        check_only(whole, db, selection.only)
        return tuple(plan(whole, tools, stages, selection))


@contextmanager
def _readable(database: Path) -> Iterator[Database]:
    """Open a writable archive for reading; a missing one is treated as empty."""
    refuse_published(database)
    if not database.exists():
        with closing(sqlite3.connect(":memory:")) as connection:
            db = Database(connection)
            migrations.apply(db)
            yield db
        return
    with reader(database) as connection:
        yield Database(connection)


def _tools(
    db: Database,
    config: Config,
    database: Path,
    client: Callable[[Feed], httpx.Client],
    *,
    progress: Callable[[str, float], AbstractContextManager[Progress]],
    again: bool,
    check: Check = check,
) -> Tools:
    return Tools(
        db=db,
        data=database.parent,
        folder=config.folder,
        now=utc_now,
        client=client,
        engine=engines(database.parent / MODELS),
        voices=cache(VoiceEncoder),
        encode=vectors(database.parent),
        progress=progress,
        again=again,
        check=check,
    )


@contextmanager
def clients() -> Iterator[Callable[[Feed], httpx.Client]]:
    """Yield a function that returns a feed's HTTP client; feeds with equal settings share one, to reuse connections."""
    with ExitStack() as stack:
        lock = Lock()
        courtesy = Courtesy()

        @cache
        def make(allow_private: bool, user_agent: str, private_url: str | None) -> httpx.Client:
            return stack.enter_context(
                make_client(
                    allow_private=allow_private,
                    user_agent=user_agent,
                    private_url=private_url,
                    courtesy=None if allow_private else courtesy,  # no rate limit for one's own servers
                )
            )

        def client(feed: Feed) -> httpx.Client:
            private_url = feed.url if variables(feed.url) or has_login(feed.url) else None
            with lock:  # threads would each make one
                return make(feed.allow_private, feed.user_agent or USER_AGENT, private_url)

        yield client


def engines(cache_folder: Path) -> Callable[[Feed], Engine]:
    """Return a factory that makes each engine once, so that its weights stay loaded for the next episode."""

    @cache
    def make(name: EngineName, model: str) -> Engine:
        return make_engine(name, model, cache=cache_folder)

    return lambda feed: make(feed.engine, feed.model)


@contextmanager
def terminable() -> Iterator[None]:
    """Make SIGTERM end the run like Ctrl-C: cleanly, keeping finished work."""

    def interrupt(_signal: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
