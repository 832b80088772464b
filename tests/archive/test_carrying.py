"""Carrying editors' statements about one recording of an episode over to the next one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sqlite_utils import Database

from pipeline.archive.attributions import attribute, speech
from pipeline.archive.carrying import Carried, carry
from pipeline.archive.checks import check, place
from pipeline.archive.corrections import correct, history, undo
from pipeline.archive.listened import attributions_of, checks_of, corrections_of
from pipeline.archive.preferred import preferred_transcript
from pipeline.archive.questions.alignments import save_matches
from pipeline.archive.questions.doubts import worth_a_look
from pipeline.archive.renditions import choose_rendition, save_rendition
from pipeline.audio.fingerprint import RATE
from pipeline.model import Correction, Match, MatchStatus, Signature
from tests.conftest import FakeEngine, write_audio
from tests.support import building
from tests.support.building import NOW, add_transcript
from tests.support.recordings import CHANGED, LATER, A, B, C, Fetched, Samples, audio, compared, fetched, one, talk

__all__ = ["fetched", "one", "talk"]  # fixtures


def said(
    number: int, start: float | None, *, end: float | None = None, answer_end: float | None = None, at: str = NOW
) -> Correction:
    status: MatchStatus = "not_asked" if start is None else "asked"
    return Correction(number, status, start, end, answer_end, "why", editor="ann", made_at=at)


@pytest.fixture
def changing(fetched: Fetched, archive: Database, one: str, talk: Samples) -> Fetched:
    """A transcribed recording; ``CHANGED`` says what the next one has in common with it."""
    for sha256 in (A, B):
        samples = (talk[: 20 * RATE] * 32767).astype(np.int16)
        write_audio(fetched.tools.data / f"audio/{sha256}.wav", samples, rate=RATE, codec="pcm_s16le")
    save_rendition(archive, one, audio(A, path=f"audio/{A}.wav"))
    fetched.transcribed()
    return fetched


def changes(fetched: Fetched) -> str:
    save_rendition(fetched.tools.db, fetched.episode.id, audio(B, path=f"audio/{B}.wav"), comparison=CHANGED)
    return fetched.transcribed().reason


def test_corrections_hold_in_the_next_recording_at_its_own_times(
    changing: Fetched, archive: Database, one: str
) -> None:
    correct(archive, one, said(1, 5.0, answer_end=45.0))
    correct(archive, one, said(2, 45.0))
    correct(archive, one, said(3, None))
    reason = changes(changing)
    assert "1 correction carried over from the earlier recording" in reason
    assert "2 edits stayed with the earlier recording" in reason
    assert corrections_of(archive.conn, one, B) == {1: said(1, 15.0)}
    assert corrections_of(archive.conn, one, A).keys() == {1, 2, 3}
    rows = archive.execute("select rendition, carried_from from corrections order by id").fetchall()
    assert rows == [(A, None), (A, None), (A, None), (B, 1)]
    assert [entry.counts for entry in history(archive, one)] == [True, False, False, False]


@pytest.mark.parametrize(
    ("given", "carried"),
    [
        ((5.0, None, 40.0), (5.0, None, 40.0)),
        ((5.0, 8.0, 40.1), (5.0, 8.0, 40.0)),  # words end slightly off the insertion point
        ((40.0, 45.0, 60.0), (70.0, 75.0, 90.0)),
        ((39.9, None, 60.0), (70.0, None, 90.0)),
        ((5.0, 40.0, 60.0), (5.0, 40.0, 90.0)),  # the answer continues after it
        ((30.0, None, None), (30.0, None, None)),
    ],
)
def test_no_correction_swallows_an_advertisement_that_was_put_in_beside_it(
    archive: Database,
    one: str,
    given: tuple[float, float | None, float | None],
    carried: tuple[float, float | None, float | None],
) -> None:
    save_rendition(archive, one, audio(A))
    correct(archive, one, said(1, given[0], end=given[1], answer_end=given[2]))
    spliced = compared("spliced", (0, 40, 0), (40, 100, 70), added=[(40, 70)])
    save_rendition(archive, one, audio(B, seconds=130), comparison=spliced)
    assert carry(archive, one, A, B).corrections == 1
    found = corrections_of(archive.conn, one, B)[1]
    assert (found.start, found.end, found.answer_end) == carried


def test_that_a_question_is_not_asked_holds_where_nothing_was_added(
    changing: Fetched, archive: Database, one: str
) -> None:
    correct(archive, one, said(3, None))
    shorter = compared("changed", (0, 40, 0), gone=[(40, 100)])
    save_rendition(archive, one, audio(B, path=f"audio/{B}.wav"), comparison=shorter)
    changing.transcribed()
    assert corrections_of(archive.conn, one, B) == {3: said(3, None)}


def heard_by(db: Database, transcript: int, host: str | None) -> None:
    """Say that somebody is the host of a transcript, and somebody else the guest."""
    db.execute("delete from speakers where transcript = ?", [transcript])
    for label, role in (("Ann", "host" if host == "Ann" else "unknown"), ("Speaker 2", "unknown")):
        db.execute(
            "insert into speakers (transcript, label, name, role, seconds) values (?, ?, ?, ?, 9)",
            [transcript, label, label if role == "host" else None, role],
        )


@pytest.mark.parametrize(
    ("host", "in_the_added", "carried"),
    [
        ("Ann", "Speaker 2", True),  # an advertisement
        ("Ann", "Ann", False),
        ("Ann", None, False),  # nobody knows who says it
        (None, "Speaker 2", False),  # nobody knows who the host is
    ],
)
def test_that_a_question_is_not_asked_holds_unless_a_host_may_say_more(
    archive: Database, one: str, host: str | None, in_the_added: str | None, carried: bool
) -> None:
    add_transcript(archive, one, building.spoken("Good morning."), sha256=A)
    correct(archive, one, said(3, None))
    spliced = compared("spliced", (0, 40, 0), (40, 100, 70), added=[(40, 70)])
    save_rendition(archive, one, audio(B, seconds=130), comparison=spliced)
    choose_rendition(archive, one, B, reason="", chosen_by="bob", now=LATER)
    words = [
        replace(building.spoken("Good morning.", start=0.0)[0], speaker="Ann"),
        replace(building.spoken("Buy this.", start=50.0)[0], speaker=in_the_added),
    ]
    number = add_transcript(archive, one, words, sha256=B)
    heard_by(archive, number, host)
    save_matches(archive, one, number, [Match(3, "not_asked", confidence=0.99)], key="k", now=NOW)
    assert carry(archive, one, A, B).corrections == carried
    assert corrections_of(archive.conn, one, B) == ({3: said(3, None)} if carried else {})
    doubts = [(doubt.number, doubt.reasons) for doubt in worth_a_look(archive.conn)]
    assert doubts == ([] if carried else [(3, ("corrected in another recording",))])
    correct(archive, one, said(3, None, at=LATER))
    assert worth_a_look(archive.conn) == ()


def test_what_was_undone_stays_undone_on_the_way_over_a_third_recording(archive: Database, one: str) -> None:
    save_rendition(archive, one, audio(A))
    correct(archive, one, said(1, 5.0))
    moved: tuple[tuple[float, float, float], ...] = ((0, 100, 0),)
    for old, new in ((A, B), (B, C)):
        save_rendition(archive, one, audio(new), comparison=compared("same", *moved, old=old, new=new))
        choose_rendition(archive, one, new, reason="", chosen_by="bob", now=LATER)
        assert carry(archive, one, old, new).corrections == 1
    undo(archive, one, 1, Signature("bob", LATER))
    for there in (A, B):  # neither has seen it
        assert carry(archive, one, C, there) == Carried(undone=1)
        assert corrections_of(archive.conn, one, there) == {}
        assert carry(archive, one, C, there) == Carried()


def test_what_was_undone_where_it_was_said_is_undone_where_it_was_carried_to(archive: Database, one: str) -> None:
    save_rendition(archive, one, audio(A))
    correct(archive, one, said(1, 5.0))
    save_rendition(archive, one, audio(B), comparison=compared("same", (0, 100, 0)))
    assert carry(archive, one, A, B).corrections == 1
    choose_rendition(archive, one, A, reason="", chosen_by="bob", now=LATER)
    undo(archive, one, 1, Signature("bob", LATER))
    assert carry(archive, one, A, B) == Carried(undone=1)
    assert corrections_of(archive.conn, one, B) == {}


def test_going_back_and_forth_brings_nothing_back_that_was_undone(
    changing: Fetched, archive: Database, one: str
) -> None:
    correct(archive, one, said(1, 5.0))
    changes(changing)
    undo(archive, one, 1, Signature("bob", LATER))
    said_then = []
    for sha256 in (A, B):
        choose_rendition(archive, one, sha256, reason="", chosen_by="bob", now=LATER)
        said_then.append(changing.transcribed().reason)
        assert corrections_of(archive.conn, one, sha256) == {}
    undone = "1 edit undone in the earlier recording, and so here, too"
    assert said_then == [f"read from its file; {undone}", "read from its file"]
    assert [entry.summary for entry in history(archive, one) if entry.counts] == []


def test_checked_words_hold_in_the_next_recording(
    changing: Fetched, archive: Database, one: str, engine: FakeEngine
) -> None:
    here = place(archive.conn, one, 0, 0)
    check(archive, one, (0, 0), "Good evening.", Signature("ann", NOW), seen=here.seal)
    moved = tuple(word._replace(start=word.start + 10, end=word.end + 10) for word in engine.segments[0].words)
    engine.segments = (type(engine.segments[0])(10.1, 10.9, "Good morning.", moved, confidence=0.85),)
    assert "1 check carried over from the earlier recording" in changes(changing)
    transcript = preferred_transcript(archive.conn, one)
    assert transcript is not None
    ((start, text),) = archive.execute(
        "select start, text from segments where transcript = ?", [transcript.id]
    ).fetchall()
    assert (start, text) == (pytest.approx(10.1), "Good evening.")
    (carried,) = checks_of(archive.conn, B)
    assert (carried.editor, carried.made_at) == ("ann", NOW)


def test_words_that_were_checked_since_stand_when_checks_are_carried_over_again(
    changing: Fetched, archive: Database, one: str, engine: FakeEngine
) -> None:
    here = place(archive.conn, one, 0, 0)
    check(archive, one, (0, 0), "Good evening.", Signature("ann", NOW), seen=here.seal)
    heard = engine.segments[0]
    moved = tuple(word._replace(start=word.start + 10, end=word.end + 10) for word in heard.words)
    engine.segments = (replace(heard, start=heard.start + 10, end=heard.end + 10, words=moved),)
    changes(changing)
    here = place(archive.conn, one, 0, 0)
    check(archive, one, (0, 0), "Good night.", Signature("bob", LATER), seen=here.seal)
    assert carry(archive, one, A, B) == Carried()
    assert [one.text for one in checks_of(archive.conn, B)] == ["Good night."]


def test_who_speaks_where_not_all_of_it_is_there_stays_with_the_earlier_recording(
    changing: Fetched, archive: Database, one: str
) -> None:
    here = speech(archive.conn, one, 0, 0)
    attribute(archive, one, (here.first, here.last), "Ann Lee", Signature("ann", NOW), seen=here.seal, everywhere=False)
    cut = compared("changed", (0.5, 100, 0), gone=[(0, 0.5)])
    save_rendition(archive, one, audio(B, path=f"audio/{B}.wav"), comparison=cut)
    assert "1 edit stayed with the earlier recording" in changing.transcribed().reason
    assert attributions_of(archive.conn, B) == ()
