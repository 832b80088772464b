"""Using the publisher's transcript: its speakers, its times, and how much it differs from Whisper's."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlite_utils import Database

from pipeline.config import Feed
from pipeline.runs.report import Report
from tests.conftest import FakeEngine
from tests.support.building import spoken
from tests.support.misbehaving import Answer, Server
from tests.support.publishing import SAID, clip, engine, link, plain, publish, run, said_of, transcripts, turns, vtt

__all__ = ["clip", "engine", "publish", "run"]  # fixtures

NOTES = """\
Alma Reed: Hello and welcome. Today we ask what became of the front door in Northbridge, two years after inspectors \
called it slow and unkind, and whether anybody who rings it now is heard.
Ines Marlow: Thank you for having me. We began with the telephone, because that is where it all begins, and we found \
that a third of the calls were never answered by anybody who could decide.
Alma Reed: And what did the families tell you when you asked them, before anything had been changed at all?
Ines Marlow: They said that they had to tell the same story four times, to four people, and that the fourth one was on \
holiday when they called, so that nothing had come of it in the end.
Alma Reed: You say that nobody waits: how long is nobody, if I call you at ten past nine on a Monday?
Ines Marlow: Under a minute, in nine calls out of ten, and the tenth we call back.
Alma Reed: That is a good place to end. Thank you for coming, and thank you all for listening to us today."""


def test_a_transcript_in_the_show_notes_has_whispers_times(
    archive: Database, publish: Callable[..., Feed], run: Callable[..., Report], engine: FakeEngine
) -> None:
    said = [line.split(": ", maxsplit=1) for line in NOTES.splitlines()]
    engine.segments = spoken(*(text for _, text in said), seconds_a_word=0.07)
    notes = "Alma Reed talks to Ines Marlow." + "".join(f"&lt;p&gt;{line}&lt;/p&gt;" for line in NOTES.splitlines())
    report = run(publish(notes=notes))
    assert "0.0% of the words differ" in said_of(report)
    assert transcripts(archive) == [("whisper", 1, 0.0, "publisher"), ("publisher", 0, None, None)]
    assert turns(archive, "publisher") == [
        (pytest.approx(heard.start), who, text) for heard, (who, text) in zip(engine.segments, said, strict=True)
    ]
    assert {who for _, who, _ in turns(archive, "whisper")} == {"Alma Reed", "Ines Marlow"}
    assert archive.execute("select label, role from speakers order by label").fetchall() == [
        ("Alma Reed", "host"),
        ("Ines Marlow", "guest"),
    ]
    run(publish(notes=notes))
    assert len(transcripts(archive)) == 2


def test_untimed_turns_have_whispers_times_and_what_was_not_heard_is_left_out(
    server: Server, archive: Database, publish: Callable[..., Feed], run: Callable[..., Report]
) -> None:
    unheard = b"\n\nAlma Reed: Xylophones quite beyond belief."
    server.give("/1.txt", Answer(plain() + unheard))
    run(publish(link("1.txt", "text/plain")))
    assert turns(archive, "publisher") == [(start, who, text) for start, who, text in SAID]
    ends = archive.execute(
        """select s."end" from segments s join transcripts t on t.id = s.transcript
           where t.source = 'publisher' order by s.n"""
    ).fetchall()
    assert [end for (end,) in ends] == pytest.approx([3.5, 6.5, 9.0, 13.0], abs=0.2)


def test_the_transcript_of_another_recording_names_nobody(
    server: Server, archive: Database, publish: Callable[..., Feed], run: Callable[..., Report]
) -> None:
    other = [(start, who, "Quite another conversation, held elsewhere on some rainy day.") for start, who, _ in SAID]
    server.give("/1.vtt", Answer(vtt(other)))
    report = run(publish(link("1.vtt")))
    assert "97.2% of the words differ" in said_of(report)
    assert {who for _, who, _ in turns(archive, "whisper")} == {None}
    assert archive.execute("select count(*) from speakers").fetchone() == (0,)


def test_what_comes_after_the_end_of_the_audio_is_left_out(
    server: Server, archive: Database, publish: Callable[..., Feed], run: Callable[..., Report]
) -> None:
    """A transcript of the version with advertisements, or of a longer cut."""
    server.give("/1.vtt", Answer(vtt([*SAID[:3], (9.0, "Ines Marlow", SAID[3][2])]).replace(b"12.500", b"50.000")))
    run(publish(link("1.vtt")))
    duration = archive.execute("select duration from renditions").fetchone()[0]
    starts_and_ends = archive.execute(
        """select s.start, s."end" from segments s join transcripts t on t.id = s.transcript
           where t.source = 'publisher'"""
    ).fetchall()
    assert len(starts_and_ends) == 4
    assert all(0 <= start <= end <= duration for start, end in starts_and_ends)


def test_turns_do_not_overlap(
    server: Server, archive: Database, publish: Callable[..., Feed], run: Callable[..., Report]
) -> None:
    server.give("/1.vtt", Answer(vtt().replace(b"--> 00:03.500", b"--> 00:06.000")))
    run(publish(link("1.vtt")))
    ends = archive.execute(
        """select s."end" from segments s join transcripts t on t.id = s.transcript
           where t.source = 'publisher' order by s.n"""
    ).fetchall()
    assert [end for (end,) in ends] == [3.5, 6.5, 9.0, 12.5]


def test_voices_of_one_caption_share_its_time(
    server: Server, archive: Database, publish: Callable[..., Feed], run: Callable[..., Report]
) -> None:
    both = b"00:00.000 --> 00:06.000\n<v Ann>Yes we did.</v>\n<v Bo>No, we certainly did not.</v>"
    server.give("/1.vtt", Answer(b"WEBVTT\n\n" + both + b"\n\n00:06.000 --> 00:09.000\n<v Ann>Thank you.\n"))
    run(publish(link("1.vtt")))
    assert archive.execute(
        """select s.speaker, s.start, s."end" from segments s join transcripts t on t.id = s.transcript
           where t.source = 'publisher' order by s.n"""
    ).fetchall() == [("Ann", 0.0, 1.833), ("Bo", 1.833, 6.0), ("Ann", 6.0, 9.0)]


def test_who_somebody_is_may_be_learned_without_hearing_another_word(
    server: Server, archive: Database, publish: Callable[..., Feed], run: Callable[..., Report]
) -> None:
    server.give("/1.vtt", Answer(vtt()))
    run(publish(link("1.vtt")))
    assert set(archive.execute("select role from speakers").fetchall()) == {("unknown",)}
    run(publish(link("1.vtt"), notes="Alma Reed talks to Ines Marlow."), again=True)
    assert archive.execute("select label, role from speakers order by label").fetchall() == [
        ("Alma Reed", "host"),
        ("Ines Marlow", "guest"),
    ]


def test_another_number_of_speakers_is_told_and_waits_for_again(
    engine: FakeEngine, publish: Callable[..., Feed], run: Callable[..., Report]
) -> None:
    run(publish())
    feed = publish(speakers=3)
    assert said_of(run(feed)) == "transcribed for another number of speakers (--again redoes it)"
    run(feed, again=True)
    assert said_of(run(feed)) == "already transcribed"
    assert engine.calls == 2
