"""Putting a run together: the locked database and the real network, engines and clock, handed to the stages."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path
from threading import Lock
from types import FrameType

import httpx

from pipeline.archive.database import writer
from pipeline.config import Config, Feed
from pipeline.ingest import STAGES, Report, StageName, ingest
from pipeline.speech.engine import Engine, make_engine
from pipeline.speech.names import EngineName
from pipeline.speech.speakers.voices import VoiceEncoder
from pipeline.stages import Tools
from pipeline.talk import Talk
from pipeline.times import utc_now
from pipeline.vectors import vectors
from pipeline.web import make_client

MODELS_FOLDER = "models"


def run(
    config: Config,
    database: Path,
    talk: Talk,
    *,
    stages: Sequence[StageName] = STAGES,
    only: str | None = None,
    again: bool = False,
) -> Report:
    """Run stages of the pipeline into ``database``.

    Raises:
        LockedError, DatabaseError: the database cannot be written.
    """
    with _terminable(), writer(database) as db, clients() as client:
        tools = Tools(
            db=db,
            data=database.parent,
            folder=config.folder,
            now=utc_now,
            client=client,
            engine=engines(database.parent / MODELS_FOLDER),
            voices=cache(VoiceEncoder),
            encode=vectors(database.parent),
            progress=talk.progress,
            again=again,
        )
        report = ingest(config, tools, stages=stages, only=only, say=talk.item)
    talk.report(report)
    return report


@contextmanager
def clients() -> Iterator[Callable[[Feed], httpx.Client]]:
    """Give feeds their HTTP clients: one for all that may go to the same places, so that connections are used again."""
    with ExitStack() as stack:
        lock = Lock()

        @cache
        def make(allow_private: bool) -> httpx.Client:
            return stack.enter_context(make_client(allow_private=allow_private))

        def client(feed: Feed) -> httpx.Client:
            with lock:  # threads would make one each
                return make(feed.allow_private)

        yield client


def engines(cache_folder: Path) -> Callable[[Feed], Engine]:
    """Return a maker of engines that makes each one once: its weights stay loaded for the next episode."""

    @cache
    def make(name: EngineName, model: str) -> Engine:
        return make_engine(name, model, cache=cache_folder)

    return lambda feed: make(feed.engine, feed.model)


@contextmanager
def _terminable() -> Iterator[None]:
    """Let SIGTERM end the run as Ctrl-C does: cleanly, with what was finished kept."""

    def interrupt(_signal: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
