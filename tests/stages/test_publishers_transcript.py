"""The publisher's transcript, from the feed's link to the rows beside Whisper's: it helps, and never fails a run."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlite_utils import Database

from pipeline.archive.database import writer
from pipeline.archive.schema import migrations
from pipeline.archive.transcripts import TranscriptSearch, last_search, save_search
from pipeline.config import Config, Feed
from pipeline.feeds.transcripts import PublishedTurn, find_transcript
from pipeline.net.client import make_client
from pipeline.runs.ingest import ingest
from pipeline.runs.planning import plan
from pipeline.runs.report import Report
from pipeline.runs.selection import Selection
from pipeline.stages import Tools
from tests.conftest import NOW, FakeEngine
from tests.support.misbehaving import Answer, Server, gzipped, page, redirect
from tests.support.publishing import (
    BOTH,
    ITEM,
    RSS,
    SAID,
    clip,
    engine,
    link,
    plain,
    podcast_json,
    publish,
    run,
    said_of,
    transcripts,
    turns,
    vtt,
)

__all__ = ["clip", "engine", "publish", "run"]  # fixtures


def test_it_lies_beside_whispers_which_is_measured_by_it(
    server: Server, archive: Database, tmp_path: Path, publish: Callable[..., Feed], run: Callable[..., Report]
) -> None:
    server.give("/1.vtt", Answer(vtt()))
    report = run(publish(link("1.vtt")))
    assert "4.0% of the words differ from the publisher's transcript" in said_of(report)
    assert transcripts(archive) == BOTH
    assert turns(archive, "publisher") == [(start, who, text) for start, who, text in SAID]
    kept = tmp_path / "transcripts" / f"{hashlib.sha256(vtt()).hexdigest()}.published"
    assert kept.read_bytes() == vtt()
    assert archive.execute(
        """select engine, model, language, json_extract(options, '$.where') from transcripts
           where source = 'publisher'"""
    ).fetchall() == [("publisher", "text/vtt", "en", f"{server.address}/1.vtt")]


def test_what_whisper_heard_has_the_publishers_names(
    server: Server, archive: Database, publish: Callable[..., Feed], run: Callable[..., Report]
) -> None:
    server.give("/1.vtt", Answer(vtt()))
    run(publish(link("1.vtt"), hosts=("Alma Reed",)))
    assert [(who, text) for _, who, text in turns(archive, "whisper")] == [
        (who, text.replace("telephone", "elephant")) for _, who, text in SAID
    ]
    assert archive.execute("select label, name, role, seconds, voice from speakers order by label").fetchall() == [
        ("Alma Reed", "Alma Reed", "host", 4.8, None),
        ("Ines Marlow", "Ines Marlow", "unknown", 5.2, None),
    ]


def test_a_private_feeds_secret_that_it_repeats_is_not_kept(
    server: Server, archive: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    publish: Callable[..., Feed], run: Callable[..., Report],
) -> None:  # fmt: skip
    monkeypatch.setenv("SHOW_TOKEN", "t0ken&123")
    written = [b"t0ken&123", b"t0ken%26123", b"t0ken&amp;123"]
    said = b"WEBVTT\n\nNOTE %b\n\n" % b" ".join(written)
    said += b"00:16.000 --> 00:17.000\nHear it at https://x.example/?key=%b\n\n" % written[1]
    server.give("/1.vtt", Answer(vtt().replace(b"WEBVTT\n\n", said, 1)))
    feed = publish(link("1.vtt"))
    run(feed.model_copy(update={"url": f"{feed.url}?key=${{SHOW_TOKEN}}"}))
    assert [one[0] for one in transcripts(archive)] == ["whisper", "publisher"]
    (kept,) = (tmp_path / "transcripts").glob("*.published")
    stored = kept.read_bytes() + "".join(archive.conn.iterdump()).encode()
    assert b"key=${SHOW_TOKEN}" in stored
    assert not [one for one in written if one in stored]


@pytest.mark.parametrize(
    ("answer", "named"),
    [
        (Answer(status=404), "it is not there"),
        (Answer(status=500), "HTTP 500"),
        (page(), "words, and neither speakers nor times"),
        (Answer(b"\x00\xff\x01" * 400), "it is not text"),
        (Answer(b"WEBVTT\n\n"), "there are no words in it"),
        (Answer(b'{"segments": 7}'), "without a list of segments"),
        (Answer(b"{" * 5000), "not well-formed JSON"),
        (Answer(b""), "there are no words in it"),
        (Answer(vtt(), drip=0.5), "did not answer in time"),
        (Answer(vtt(), declared=10_000), "could not be reached"),
        (Answer(vtt(), declared=10_000, ending="reset"), "could not be reached"),
        (gzipped(b"a " * 11_000_000), "larger than 20 MB"),
        (redirect("file:///etc/passwd"), "is not visited"),
        (redirect("/1.vtt"), "redirects"),
    ],
    ids=[
        "404", "500", "page", "garbage", "empty-vtt", "other-json", "deep-json", "nothing", "slow", "cut", "reset",
        "huge", "file", "ring",
    ],
)  # fmt: skip
def test_what_is_wrong_with_it_is_a_remark(
    server: Server,
    archive: Database,
    tmp_path: Path,
    publish: Callable[..., Feed],
    run: Callable[..., Report],
    answer: Answer,
    named: str,
) -> None:
    server.give("/1.vtt", answer)

    def impatient(_feed: Feed) -> Any:
        client = make_client(allow_private=True)
        client.timeout = 0.25
        return client

    report = run(publish(link("1.vtt", "text/html" if named.startswith("words") else "text/vtt")), client=impatient)
    reason = said_of(report)
    assert "25 words" in reason
    assert f"the publisher's transcript {server.address}/1.vtt was not used: " in reason
    assert named in reason
    assert transcripts(archive) == [("whisper", 1, None, None)]
    assert list(tmp_path.glob("transcripts/*.published")) == []


def test_a_redirect_onto_the_users_own_network_is_not_followed(
    server: Server,
    archive: Database,
    publish: Callable[..., Feed],
    run: Callable[..., Report],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("pipeline.net.client.is_public", lambda address: address == "127.0.0.1")  # plays the internet
    server.give("/1.vtt", redirect(server.address.replace("127.0.0.1", "127.0.0.2") + "/secret.vtt"))
    server.give("/secret.vtt", Answer(vtt()))
    report = run(publish(link("1.vtt")).model_copy(update={"allow_private": False}))
    assert "is on your own network" in said_of(report)
    assert server.asked("/secret.vtt") == []
    assert transcripts(archive) == [("whisper", 1, None, None)]


def test_of_several_the_one_that_says_the_most_is_taken(
    server: Server, archive: Database, publish: Callable[..., Feed], run: Callable[..., Report]
) -> None:
    server.give("/1.txt", Answer(plain()))
    server.give("/1.vtt", Answer(vtt()))
    server.give("/1.json", Answer(podcast_json()))
    run(publish(link("1.txt", "text/plain"), link("1.vtt", None), link("1.json", "application/json")))
    assert transcripts(archive) == BOTH
    assert [len(server.asked(path)) for path in ("/1.txt", "/1.vtt", "/1.json")] == [0, 0, 1]
    assert turns(archive, "publisher") == [(start, who, text) for start, who, text in SAID]


def test_where_the_best_cannot_be_read_the_next_best_is_taken(
    server: Server, archive: Database, publish: Callable[..., Feed], run: Callable[..., Report]
) -> None:
    server.give("/1.srt", Answer(page().body))
    server.give("/1.txt", Answer(plain()))
    report = run(
        publish(link("1.txt", "text/plain"), link("1.srt", "application/x-subrip"), link("1.json", "application/json"))
    )
    reason = said_of(report)
    assert reason.index("1.json was not used") < reason.index("1.srt was not used") < reason.index("4.0% of the words")
    assert transcripts(archive) == BOTH


def test_one_that_comes_later_is_taken_without_hearing_the_episode_again(
    server: Server, archive: Database, engine: FakeEngine, publish: Callable[..., Feed], run: Callable[..., Report]
) -> None:
    run(publish())
    assert transcripts(archive) == [("whisper", 1, None, None)]
    server.give("/1.vtt", Answer(vtt()))
    report = run(publish(link("1.vtt")))
    assert engine.calls == 1
    assert said_of(report) == "4.0% of the words differ from the publisher's transcript"
    assert transcripts(archive) == BOTH


def test_one_that_comes_later_names_the_voices_that_were_told_apart_and_tells_the_host(
    server: Server, archive: Database, publish: Callable[..., Feed], run: Callable[..., Report]
) -> None:
    run(publish(hosts=["Alma Reed"]))
    ((transcript,),) = archive.execute("select id from transcripts").fetchall()
    # Ines Marlow asks more than she is asked, and was taken for the host.
    for label, role, places in (("Speaker 1", "unknown", (0, 2)), ("Speaker 2", "host", (1, 3))):
        archive.execute("insert into speakers values (?, ?, null, ?, 5.0, null)", [transcript, label, role])
        archive.execute(f"update segments set speaker = ? where n in {places}", [label])
    archive.conn.commit()
    server.give("/1.vtt", Answer(vtt()))
    run(publish(link("1.vtt"), hosts=["Alma Reed"]))
    assert [who for _, who, _ in turns(archive, "whisper")] == [who for _, who, _ in SAID]
    named = archive.execute("select label, name, role from speakers order by label").fetchall()
    assert named == [("Alma Reed", "Alma Reed", "host"), ("Ines Marlow", "Ines Marlow", "unknown")]


@pytest.mark.parametrize("answer", [Answer(status=503), Answer(status=410), page()])
def test_one_that_could_not_be_had_is_asked_for_again_a_week_later(
    server: Server, archive: Database, engine: FakeEngine, publish: Callable[..., Feed], run: Callable[..., Report],
    answer: Answer,
) -> None:  # fmt: skip
    server.give("/1.vtt", answer, answer, Answer(vtt()))
    feed = publish(link("1.vtt"))
    said = {day: said_of(run(feed, now=lambda day=day: f"2026-06-{day:02}T06:00:00Z")) for day in (1, 2, 7, 8, 9, 14)}
    assert len(server.asked("/1.vtt")) == 2
    assert said[2] == said[7] == said[9] == said[14] == "already transcribed"
    assert said[8].startswith(f"already transcribed; the publisher's transcript {server.address}/1.vtt was not used")
    run(feed, now=lambda: "2026-06-15T06:00:00Z")
    assert engine.calls == 1
    assert transcripts(archive) == BOTH


def test_one_that_was_looked_for_while_the_clock_was_ahead_is_asked_for_again(
    server: Server, archive: Database, publish: Callable[..., Feed], run: Callable[..., Report]
) -> None:
    server.give("/1.vtt", Answer(status=503), Answer(vtt()))
    feed = publish(link("1.vtt"))
    run(feed, now=lambda: "2036-06-01T06:00:00Z")
    run(feed)
    assert transcripts(archive) == BOTH


def test_another_one_is_asked_for_at_once(
    server: Server, archive: Database, publish: Callable[..., Feed], run: Callable[..., Report]
) -> None:
    run(publish(link("1.vtt")))
    server.give("/2.vtt", Answer(vtt()))
    run(publish(link("2.vtt")))
    assert transcripts(archive) == BOTH


def test_a_dry_run_names_one_that_is_still_to_be_had(
    server: Server, publish: Callable[..., Feed], run: Callable[..., Report], make_tools: Callable[..., Tools]
) -> None:
    server.give("/1.vtt", Answer(vtt()))
    server.give("/2.vtt", Answer(vtt()))

    def planned(feed: Feed) -> list[str]:
        return [one.stage for one in plan(Config(feeds=[feed]), make_tools(), ("transcribe",), Selection())]

    run(publish(link("1.vtt")))
    feed = publish(link("2.vtt"))
    ingest(Config(feeds=[feed]), make_tools(), stages=("poll",))
    assert planned(feed) == ["transcribe"]
    run(feed)
    assert planned(feed) == []


def test_another_one_takes_the_place_of_one_that_was_had(
    server: Server, archive: Database, publish: Callable[..., Feed], run: Callable[..., Report]
) -> None:
    server.give("/1.vtt", Answer(vtt()))
    run(publish(link("1.vtt")))
    server.give("/2.vtt", Answer(vtt().replace(b"telephone", b"elephant")))
    for _ in range(2):
        run(publish(link("2.vtt")))
    assert len(server.asked("/1.vtt")) == len(server.asked("/2.vtt")) == 1
    assert transcripts(archive) == [("whisper", 1, 0.0, "publisher"), *[("publisher", 0, None, None)] * 2]


def test_notes_are_looked_through_for_one_once_and_when_they_change(
    publish: Callable[..., Feed], run: Callable[..., Report], monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[str] = []

    def find(notes: str) -> tuple[PublishedTurn, ...]:
        looked.append(notes)
        return find_transcript(notes)

    monkeypatch.setattr("pipeline.stages.publishers_transcript.find_transcript", find)
    for _ in range(3):
        report = run(publish())
    assert report.skip_reasons("transcribe") == {"already transcribed": 1}
    assert len(looked) == 1
    run(publish(notes="Another text."))
    assert looked == ["No list here.", "Another text."]


def test_an_archive_of_the_version_before_learns_what_was_looked_for(tmp_path: Path) -> None:
    path = tmp_path / "old.db"
    with closing(sqlite3.connect(path)) as connection:
        db = Database(connection)
        migrations.apply(db, stop_before="m014_transcript_searches")
        db.execute("insert into feeds (slug, title, url) values ('show', 'Show', 'x')")
        db.execute(
            """insert into episodes (id, feed, guid, title, first_seen, last_seen)
               values ('show/1', 'show', 'one', 'One', ?, ?)""",
            [NOW, NOW],
        )
    with writer(path) as db:
        assert last_search(db, "show/1") is None
        search = TranscriptSearch("show/1", "0" * 12, NOW, failed=True)
        save_search(db, search)
        assert last_search(db, "show/1") == search


def test_a_second_run_asks_for_nothing_and_doubles_nothing(
    server: Server, archive: Database, tmp_path: Path, publish: Callable[..., Feed], run: Callable[..., Report]
) -> None:
    server.give("/1.vtt", Answer(vtt()))
    feed = publish(link("1.vtt"))
    run(feed)
    before = transcripts(archive), archive.execute("select * from segments order by id").fetchall()
    report = run(feed)
    assert report.skip_reasons("transcribe") == {"already transcribed": 1}
    assert len(server.asked("/1.vtt")) == 1
    run(feed, again=True)
    assert (transcripts(archive), archive.execute("select * from segments order by id").fetchall()) == before
    assert len(list(tmp_path.glob("transcripts/*"))) == 2
    archive.execute("insert into transcripts_fts (transcripts_fts, rank) values ('integrity-check', 1)")


def test_a_publishers_transcript_is_never_the_one_that_counts(
    server: Server,
    archive: Database,
    publish: Callable[..., Feed],
    run: Callable[..., Report],
    engine: FakeEngine,
    make_tools: Callable[..., Tools],
) -> None:
    server.give("/1.vtt", Answer(vtt()))
    feed = publish(link("1.vtt"))
    engine.error = RuntimeError("out of luck")
    assert ingest(Config(feeds=[feed]), make_tools()).exit_code == 3
    assert transcripts(archive) == []  # alone it would be taken for the engine's
    engine.error = None
    run(feed)
    assert transcripts(archive) == BOTH


@pytest.fixture
def local(tmp_path: Path, clip: bytes) -> Callable[[str], Feed]:
    """A show whose feed is a file in a folder of its own."""

    def make(links: str) -> Feed:
        folder = tmp_path / "shows" / "one"
        folder.mkdir(parents=True)
        (folder / "1.mp3").write_bytes(clip)
        items = ITEM.format(notes="No list here.", links=links, audio="1.mp3")
        (folder / "feed.xml").write_text(RSS.format(items=items), encoding="utf-8")
        (folder / "1.vtt").write_bytes(vtt())
        return Feed(slug="show", title="Show", url=str(folder / "feed.xml"))

    return make


def test_a_local_feed_may_name_a_transcript_beside_it(
    archive: Database, run: Callable[..., Report], local: Callable[[str], Feed]
) -> None:
    run(local(link("1.vtt")))
    assert transcripts(archive) == BOTH


@pytest.mark.parametrize("address", ["../../private.vtt", "{outside}", "file:///dev/zero"])
def test_a_local_feed_may_name_nothing_elsewhere_on_this_computer(
    archive: Database, tmp_path: Path, run: Callable[..., Report], local: Callable[[str], Feed], address: str
) -> None:
    outside = tmp_path / "private.vtt"
    outside.write_bytes(vtt())
    report = run(local(link(address.format(outside=outside.as_uri()))))
    assert "only in the folder that it is in" in said_of(report)
    assert transcripts(archive) == [("whisper", 1, None, None)]
    assert list(tmp_path.glob("transcripts/*.published")) == []


def test_a_translation_is_not_taken_for_what_is_said(
    server: Server, archive: Database, publish: Callable[..., Feed], run: Callable[..., Report]
) -> None:
    server.give("/es.json", Answer(podcast_json()))
    server.give("/en.vtt", Answer(vtt()))
    spanish = link("es.json", "application/json").replace("/>", ' language="es"/>')
    feed = publish(spanish, link("en.vtt").replace("/>", ' language="en-GB"/>'))
    run(feed)
    assert transcripts(archive) == BOTH
    assert server.asked("/es.json") == []


def test_a_translation_alone_is_none_and_not_asked_for_in_every_run(
    server: Server, archive: Database, publish: Callable[..., Feed], run: Callable[..., Report]
) -> None:
    feed = publish(link("es.vtt").replace("/>", ' language="es"/>'))
    run(feed)
    assert run(feed).skip_reasons("transcribe") == {"already transcribed": 1}
    assert server.asked("/es.vtt") == []
    assert transcripts(archive) == [("whisper", 1, None, None)]


def test_what_is_missing_is_told_without_advice_for_feeds(
    publish: Callable[..., Feed], run: Callable[..., Report]
) -> None:
    assert said_of(run(publish(link("1.vtt")))).endswith("was not used: it is not there (HTTP 404 or 410)")
