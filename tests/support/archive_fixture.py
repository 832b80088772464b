"""Fixtures: a small hostile archive on disk, and a Datasette that serves it."""

from __future__ import annotations

import asyncio
import hashlib
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from datasette import hookimpl
from datasette.app import Datasette
from datasette.plugins import pm
from jinja2 import BytecodeCache, Environment
from jinja2.bccache import Bucket

from pipeline.archive.corrections import correct
from pipeline.archive.questions.alignments import save_matches
from pipeline.model import Correction, Match
from tests.support.building import NOW, add_feed, add_transcript, episode, new_archive, spoken

EVIL = "<script>alert(1)</script>"
AUDIO = bytes(range(250)) * 4
SHA256 = hashlib.sha256(AUDIO).hexdigest()
QUESTIONS = (
    "What is social work about?",
    f"Is the door {EVIL} calm?",
    "And the budget?",
    "And finally?",
    "Anything else?",
)
NOTES = f'<p onclick="x()">Notes {EVIL}<img src="https://example.org/spy.gif"><a href="javascript:x()">bad</a></p>'


@dataclass(frozen=True)
class Kept:
    """The location of the archive, and the ids of its episodes."""

    path: Path
    spoken: str
    waiting: str


@pytest.fixture
def kept(tmp_path: Path) -> Kept:
    """An archive with an episode that has everything, and one of another feed that is only listed."""
    path = tmp_path / "a.db"
    with new_archive(path) as db:
        item = replace(
            episode("one", title=f"One {EVIL}", questions=QUESTIONS),
            notes_html=NOTES,
            link="javascript:alert(1)",
        )
        (first,) = add_feed(db, "show", item)
        (second,) = add_feed(db, "other", episode("two", title="Two", published="2025-12-01T00:00:00Z"))
        segments = spoken(
            "Good social work is about",
            "relationships, and it always was.",
            f"The front door is {EVIL} calm.",
            "I doubt that.",
        )
        named = [replace(segment, speaker=f"Guest {EVIL}") for segment in segments[:-1]]
        last = replace(segments[-1], speaker="Host", flags=("low_confidence",))
        transcript = add_transcript(db, first, [*named, last], sha256=SHA256)
        matches = [
            Match(1, "asked", 0.0, 2.4, 4.9, 0.95),
            Match(2, "merged", 5.0, 6.9, 7.0, 0.7, 1),
            Match(3, "not_asked", confidence=0.8),
            Match(4, "uncertain", 7.5, 8.0, 9.0, 0.41),
            Match(5, "asked", 8.0, 8.2, 9.0, 0.9),
        ]
        save_matches(db, first, transcript, matches, key="k", now=NOW)
        correct(db, first, Correction(5, "asked", 3.25, 3.3, 3.4, editor=None, made_at=NOW))
    file = tmp_path / "audio" / SHA256[:2] / f"{SHA256}.mp3"
    file.parent.mkdir(parents=True)
    file.write_bytes(AUDIO)
    return Kept(path, first, second)


class Site:
    """A Datasette with a synchronous interface, without network access."""

    def __init__(self, datasette: Datasette, runner: asyncio.Runner) -> None:
        self.datasette = datasette
        self._runner = runner

    def run(self, awaitable: Any) -> Any:
        """Run a coroutine to completion."""
        return self._runner.run(awaitable)

    def ask(self, path: str, *, method: str = "GET", actor: str | None = None, **headers: str | bytes) -> Any:
        """Return the response; keyword arguments are headers, with ``_`` for ``-``."""
        cookies = {"ds_actor": self.datasette.sign({"a": {"id": actor}}, "actor")} if actor else None
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.run(self.datasette.client.request(method, path, headers=named, cookies=cookies))


class _Compiled(BytecodeCache):
    """Caches compiled templates across all Datasettes of this process: compiling dominates the time of a page."""

    def __init__(self) -> None:
        self.__name__ = "compiled_once"  # a hook of Datasette
        self._compiled: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if bucket.key in self._compiled:
            bucket.bytecode_from_string(self._compiled[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._compiled[bucket.key] = bucket.bytecode_to_string()

    @hookimpl  # type: ignore[untyped-decorator]  # Datasette is not typed
    def prepare_jinja2_environment(self, env: Environment) -> None:
        env.bytecode_cache = self


pm.register(_Compiled())


@contextmanager
def opened(*paths: Path, **options: Any) -> Iterator[Site]:
    """A Datasette that serves these databases, with these options."""
    with asyncio.Runner() as runner:
        datasette = Datasette([str(path) for path in paths], **options)
        try:
            runner.run(datasette.invoke_startup())
            yield Site(datasette, runner)
        finally:
            for database in datasette.databases.values():
                database.close()
            if datasette.executor:
                datasette.executor.shutdown()


@contextmanager
def listening(site: Site, around: Callable[[Any], Any] = lambda app: app) -> Iterator[str]:
    """Serve a site over loopback HTTP, with a wrapper ``around`` its application; yields its URL."""
    app = around(site.datasette.app())
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="error"))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            thread.join(0.01)
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()


Serve = Callable[..., Site]


@pytest.fixture
def serve(kept: Kept) -> Iterator[Serve]:
    """Serve the archive, or other files, with these options of Datasette."""
    with ExitStack() as stack:
        yield lambda *paths, **options: stack.enter_context(opened(*(paths or (kept.path,)), **options))


@pytest.fixture
def site(serve: Serve) -> Site:
    """The archive, served unchanged."""
    return serve()
