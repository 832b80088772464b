"""A publisher's transcript that is slow to come holds no episode up that is to be heard."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event
from typing import Any

import pytest
from sqlite_utils import Database

from pipeline.config import Config, Feed
from pipeline.runs.ingest import ingest
from pipeline.runs.report import Report
from pipeline.speech.hearing import Hearing
from pipeline.stages import Tools
from tests.conftest import FakeEngine
from tests.support.misbehaving import Answer, Request, Server
from tests.support.publishing import (
    BOTH,
    HEARD,
    ITEM,
    RSS,
    clip,
    link,
    publish,
    run,
    said_of,
    transcripts,
    vtt,
)

__all__ = ["clip", "publish", "run"]  # fixtures


class Announcing(FakeEngine):
    """An engine that tells when it begins to hear a recording."""

    def __init__(self) -> None:
        super().__init__(HEARD)
        self.hears = Event()

    def transcribe(self, *arguments: Any, **options: Any) -> Hearing:
        self.hears.set()
        return super().transcribe(*arguments, **options)


@pytest.fixture
def engine() -> Announcing:
    return Announcing()


def once(event: Event, answer: Answer) -> Callable[[Request], Answer]:
    """Answer when something has happened; after three seconds, that there is nothing."""
    return lambda _request: answer if event.wait(3) else Answer(status=503)


def test_it_is_fetched_while_the_episode_is_heard(
    server: Server, archive: Database, engine: Announcing, publish: Callable[..., Feed], run: Callable[..., Report]
) -> None:
    server.give("/1.vtt", once(engine.hears, Answer(vtt())))
    run(publish(link("1.vtt")))
    assert transcripts(archive) == BOTH


def test_one_that_does_not_come_in_time_is_compared_by_the_next_run(
    server: Server,
    archive: Database,
    engine: Announcing,
    publish: Callable[..., Feed],
    run: Callable[..., Report],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("pipeline.stages.publishers_transcript.PATIENCE", 0.1)
    server.give("/1.vtt", Answer(vtt(), drip=0.2), Answer(vtt()))
    feed = publish(link("1.vtt"))
    assert "the publisher's transcript is slow to come: the next run compares it" in said_of(run(feed))
    assert transcripts(archive) == [("whisper", 1, None, None)]
    run(feed)
    assert transcripts(archive) == BOTH
    assert engine.calls == 1


def test_one_of_an_episode_that_was_heard_before_waits_until_others_are_heard(
    server: Server,
    engine: Announcing,
    clip: bytes,
    publish: Callable[..., Feed],
    run: Callable[..., Report],
    make_tools: Callable[..., Tools],
) -> None:
    run(publish())
    engine.hears.clear()
    server.give("/1.vtt", once(engine.hears, Answer(vtt())))
    heard = publish(link("1.vtt"))
    server.give("/2.mp3", Answer(clip + b"\0"))
    items = ITEM.format(notes="", links="", audio="2.mp3")
    address = server.give("/other.xml", Answer(RSS.format(items=items).encode()))
    other = Feed(slug="other", title="Other", url=address, allow_private=True)
    report = ingest(Config(feeds=[heard, other]), make_tools())
    assert report.exit_code == 0
    assert [(item.feed, item.stage) for item in report.items if item.stage in {"transcribe", "align"}] == [
        ("other", "transcribe"),
        ("other", "align"),
        ("show", "transcribe"),
        ("show", "align"),
    ]
    (compared,) = (item.reason for item in report.items if (item.feed, item.stage) == ("show", "transcribe"))
    assert compared == "4.0% of the words differ from the publisher's transcript"


def test_whatever_goes_wrong_in_the_notes_costs_no_transcript(
    archive: Database,
    engine: Announcing,
    publish: Callable[..., Feed],
    run: Callable[..., Report],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken(_notes: str) -> tuple[()]:
        raise RecursionError("too deep")

    monkeypatch.setattr("pipeline.stages.publishers_transcript.find_transcript", broken)
    assert "the publisher's transcript in the show notes was not used: too deep" in said_of(run(publish()))
    assert transcripts(archive) == [("whisper", 1, None, None)]
    assert engine.calls == 1
