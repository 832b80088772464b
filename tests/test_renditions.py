"""Several recordings of one episode: which counts, where a time of one is in another, and what people said of one."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import permutations
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from numpy.typing import NDArray
from sqlite_utils import Database

from pipeline.archive.attributions import attribute, speech
from pipeline.archive.carrying import Carried, carry
from pipeline.archive.checks import check, checks_of, place
from pipeline.archive.corrections import correct, history, undo
from pipeline.archive.database import writer
from pipeline.archive.listened import attributions_of, corrections_of
from pipeline.archive.renditions import (
    Passage,
    choose_rendition,
    current_rendition,
    passage_in,
    renditions_of,
    save_rendition,
    translate,
)
from pipeline.archive.transcripts import preferred_transcript
from pipeline.audio.decode import decode
from pipeline.audio.fingerprint import RATE
from pipeline.cli import main
from pipeline.config import Feed
from pipeline.errors import CorrectionError
from pipeline.model import Comparison, Correction, Episode, KeptAudio, Piece, Verdict
from pipeline.renditions import Choice, account, choose
from pipeline.sample import DATA, EPISODES
from pipeline.stages import Outcome, Tools
from pipeline.stages.renditions import compare_with_current, keep_beside
from pipeline.stages.transcribe import transcribe
from tests.building import NOW, add_feed, episode
from tests.conftest import FakeEngine, write_audio

A, B, C = ("aa" * 32, "bb" * 32, "cc" * 32)
Samples = NDArray[np.float32]
SHOW = Feed(slug="show", title="Show", url="https://example.org/feed.xml")
LATER = "2026-07-01T00:00:00Z"


def audio(sha256: str, *, seconds: float = 100.0, path: str | None = None, at: str = NOW) -> KeptAudio:
    return KeptAudio(sha256, path or f"audio/{sha256[:2]}/{sha256}.mp3", 1000, "audio/mpeg", seconds, "u", "u", at)


def compared(
    verdict: Verdict, *pieces: tuple[float, float, float], old: str = A, new: str = B,
    gone: Sequence[tuple[float, float]] = (), added: Sequence[tuple[float, float]] = (),
) -> Comparison:  # fmt: skip
    return Comparison(old, new, verdict, tuple(Piece(*piece) for piece in pieces), tuple(gone), tuple(added))


# Ten seconds before the beginning are new, those from 40 to 50 are gone.
CHANGED = compared("changed", (0, 40, 10), (50, 100, 50), gone=[(40, 50)], added=[(0, 10)])


@pytest.fixture
def one(archive: Database) -> str:
    """An episode with three questions."""
    return add_feed(archive, "show", episode("one", questions=["Why?", "How?", "When?"]))[0]


def current(db: Database, episode_id: str) -> str | None:
    found = current_rendition(db, episode_id)
    return found.sha256 if found else None


# --- the rule ---


@pytest.mark.parametrize(
    ("verdict", "transcribed", "chosen_by", "replaces"),
    [
        ("same", True, None, False),
        ("spliced", True, None, False),
        ("changed", True, None, True),
        ("other", True, None, True),
        ("same", False, None, True),
        ("changed", True, "ann", False),
        ("other", False, "ann", False),
        (None, True, None, True),
        (None, True, "ann", False),
    ],
)
def test_what_is_cited_stays_unless_something_of_it_is_gone(
    verdict: Verdict | None, transcribed: bool, chosen_by: str | None, replaces: bool
) -> None:
    found = choose(compared(verdict) if verdict else None, transcribed=transcribed, chosen_by=chosen_by)
    assert found.replaces is replaces
    assert found.reason


def test_what_two_recordings_share_is_said_in_words() -> None:
    assert account(compared("same", (0, 100, 0.03))) == "the same sound, encoded anew"
    assert account(CHANGED) == "0:40 to 0:50 of the earlier one gone, 0:00 to 0:10 added"
    assert account(compared("spliced", (0, 9, 5), added=[(0, 5)])) == "all of the earlier one, 0:00 to 0:05 added"
    assert account(compared("spliced", (0, 9, 0), (9, 20, 8))) == "all of the earlier one, with other pauses"
    assert account(compared("other")) == "hardly anything of the earlier one is in it"
    many = compared("changed", gone=[(n * 60, n * 60 + 1) for n in range(8)])
    assert account(many).endswith("4:00 to 4:01 and 3 more of the earlier one gone")


# --- recording and choosing ---


def test_the_newest_choice_counts_and_all_are_kept(archive: Database, one: str) -> None:
    save_rendition(archive, one, audio(A))
    save_rendition(archive, one, audio(B), choice=Choice(False, "all is in both"), comparison=compared("same"))
    assert current(archive, one) == A
    save_rendition(archive, one, audio(C), choice=Choice(True, "some is gone"), comparison=compared("changed", new=C))
    assert current(archive, one) == C
    assert choose_rendition(archive, one, "BBBB", reason="heard both", chosen_by="ann", now=LATER) == B
    assert current(archive, one) == B
    rows = archive.execute("select rendition, reason, chosen_by from rendition_choices order by id").fetchall()
    assert rows[1:] == [(A, "all is in both", None), (C, "some is gone", None), (B, "heard both", "ann")]
    for wrong in ("dd", "", "%"):
        with pytest.raises(CorrectionError, match="no recording that begins"):
            choose_rendition(archive, one, wrong, reason="", chosen_by="ann", now=LATER)


def test_a_file_that_comes_again_is_no_choice(archive: Database, one: str) -> None:
    for _ in range(2):
        save_rendition(archive, one, audio(A))
    assert archive.execute("select count(*) from rendition_choices").fetchone() == (1,)


def test_two_recordings_that_are_compared_again_share_what_was_found_last(archive: Database, one: str) -> None:
    save_rendition(archive, one, audio(A))
    for found in (CHANGED, compared("changed", (20, 100, 0), gone=[(0, 20)])):
        save_rendition(archive, one, audio(B), comparison=found)
    assert (translate(archive.conn, A, 5.0, B), translate(archive.conn, A, 45.0, B)) == (None, 25.0)


# --- times ---


@pytest.fixture
def mapped(archive: Database, one: str) -> Database:
    """Recordings of which the second was compared with the first, and the third with the second."""
    save_rendition(archive, one, audio(A))
    save_rendition(archive, one, audio(B, seconds=100), comparison=CHANGED)
    save_rendition(archive, one, audio(C, seconds=90), comparison=compared("changed", (10, 100, 0), old=B, new=C))
    return archive


@pytest.mark.parametrize(
    ("origin", "second", "target", "found"),
    [
        (A, 5.0, A, 5.0),
        (A, 5.0, B, 15.0),
        (A, 45.0, B, None),
        (A, 60.0, B, 60.0),
        (B, 15.0, A, 5.0),
        (B, 4.0, A, None),
        (A, 5.0, C, 5.0),
        (C, 50.0, A, 60.0),
        (A, 60.0, "dd" * 32, None),
    ],
)
def test_a_time_is_found_in_another_recording_by_way_of_others_too(
    mapped: Database, origin: str, second: float, target: str, found: float | None
) -> None:
    assert translate(mapped.conn, origin, second, target) == found


@pytest.mark.parametrize(
    ("start", "end", "found"),
    [
        (5, 9, Passage(15, 19, whole=True)),
        (39, 40.1, Passage(49, 50, whole=True)),  # words end a little beside where a recording was cut
        (35, 45, Passage(45, 50, whole=False)),
        (38, 52, Passage(48, 52, whole=False)),
        (42, 48, Passage(None, None, whole=False)),
        (40.0, 40.2, Passage(None, None, whole=False)),  # one word that was cut out
    ],
)
def test_a_passage_is_whole_in_part_or_not_at_all_in_another_recording(
    mapped: Database, start: float, end: float, found: Passage
) -> None:
    assert passage_in(mapped.conn, A, start, end, B) == found


def test_a_way_on_which_all_is_found_counts_though_it_is_longer(mapped: Database, one: str) -> None:
    save_rendition(mapped, one, audio(C, seconds=90), comparison=compared("changed", (0, 6, 0), old=A, new=C))
    assert passage_in(mapped.conn, A, 5, 9, C) == Passage(5, 9, whole=True)
    assert passage_in(mapped.conn, A, 35, 45, C) == Passage(35, 40, whole=False)


def test_a_feed_that_offers_the_same_files_for_many_episodes_does_not_keep_readers_waiting(
    archive: Database, one: str
) -> None:
    names = [f"{n:02x}" * 32 for n in range(12)]
    for old, new in permutations(names, 2):
        save_rendition(archive, one, audio(new), comparison=compared("changed", (0, 60, 1), old=old, new=new))
    began = time.process_time()
    assert passage_in(archive.conn, names[0], 5, 9, names[-1]) == Passage(6, 10, whole=True)
    assert passage_in(archive.conn, names[0], 70, 80, names[-1]) == Passage(None, None, whole=False)
    assert time.process_time() - began < 5


def test_recordings_that_were_never_compared_have_no_times_in_common(archive: Database, one: str) -> None:
    save_rendition(archive, one, audio(A))
    save_rendition(archive, one, audio(B))
    assert passage_in(archive.conn, A, 5, 9, B) is None


# --- the stages ---


class Fetched:
    """Recordings of one episode that come one after the other, heard by the engine of the tests."""

    def __init__(self, tools: Tools, episode_id: str) -> None:
        self.tools, self.episode = tools, Episode(episode_id, "show", "An episode", "https://example.org/one.mp3")

    def comes(self, sha256: str, samples: Samples) -> str | None:
        path = f"audio/{sha256}.wav"
        write_audio(self.tools.data / path, (samples * 32767).astype(np.int16), rate=RATE, codec="pcm_s16le")
        kept = audio(sha256, seconds=samples.size / RATE, path=path)
        known = current_rendition(self.tools.db, self.episode.id)
        return keep_beside(self.tools.db, self.episode.id, kept, compare_with_current(self.tools.data, known, kept))

    def transcribed(self) -> Outcome:
        return transcribe(self.tools, SHOW, self.episode)


@pytest.fixture
def fetched(make_tools: Callable[..., Tools], one: str) -> Fetched:
    tools = make_tools()
    (tools.data / "audio").mkdir()
    return Fetched(tools, one)


@pytest.fixture(scope="session")
def talk() -> Samples:
    return decode(DATA / f"{EPISODES[0]}.mp3", sample_rate=RATE)[: 40 * RATE]


def test_the_same_sound_is_kept_beside_and_changed_sound_counts(
    fetched: Fetched, archive: Database, one: str, talk: Samples
) -> None:
    assert fetched.comes(A, talk) is None
    fetched.transcribed()
    assert fetched.comes(B, talk * 0.5) == (
        "another recording: the same sound, encoded anew; the earlier one still counts: "
        "all that was transcribed is in both"
    )
    assert current(archive, one) == A
    assert fetched.transcribed().routine
    said = fetched.comes(C, np.concatenate([talk[: 20 * RATE], talk[25 * RATE :]]))
    assert said is not None
    assert said.endswith("gone; it counts from now on: not all of the earlier one is in it")
    assert current(archive, one) == C
    assert fetched.transcribed().status == "ok"
    assert [kept.transcribed for kept in renditions_of(archive.conn, one)] == [True, False, True]
    assert translate(archive.conn, A, 30.0, C) == pytest.approx(25.0, abs=0.02)
    assert translate(archive.conn, A, 22.0, C) is None


def test_where_only_what_is_neither_question_nor_answer_is_gone_the_earlier_one_counts(
    fetched: Fetched, archive: Database, one: str, talk: Samples
) -> None:
    fetched.comes(A, talk)
    fetched.transcribed()
    archive.execute("""update segments set role = 'answer', start = 1, "end" = 2.5""")
    said = fetched.comes(B, np.concatenate([talk[: 3 * RATE], talk[9 * RATE :]]))
    assert said is not None
    assert said.endswith("still counts: what is gone is neither question nor answer, as advertisements are")
    assert current(archive, one) == A
    said = fetched.comes(C, talk[6 * RATE :])
    assert said is not None
    assert said.endswith("it counts from now on: not all of the earlier one is in it")


def test_what_a_person_chose_stays_whatever_comes(fetched: Fetched, archive: Database, one: str, talk: Samples) -> None:
    fetched.comes(A, talk)
    choose_rendition(archive, one, A, reason="the one that we cite", chosen_by="ann", now=NOW)
    said = fetched.comes(B, talk[: 20 * RATE])
    assert said is not None
    assert said.endswith("the earlier one still counts: ann chose the earlier one")
    assert current(archive, one) == A


def test_where_the_earlier_file_is_lost_the_new_one_counts(
    fetched: Fetched, archive: Database, one: str, talk: Samples
) -> None:
    fetched.comes(A, talk[: 5 * RATE])
    (fetched.tools.data / f"audio/{A}.wav").unlink()
    said = fetched.comes(B, talk[: 5 * RATE])
    assert said == "another recording: it counts from now on: the earlier one cannot be read any more"
    assert current(archive, one) == B


# --- what people said of the earlier one ---


def said(
    number: int, start: float | None, *, end: float | None = None, answer_end: float | None = None, at: str = NOW
) -> Correction:
    status = "not_asked" if start is None else "asked"
    return Correction(number, status, start, end, answer_end, "why", editor="ann", made_at=at)


@pytest.fixture
def changing(fetched: Fetched, archive: Database, one: str, talk: Samples) -> Fetched:
    """A recording that is transcribed; ``CHANGED`` is what the next one has of it."""
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
    assert "2 stayed with the earlier recording" in reason
    assert corrections_of(archive.conn, one, B) == {1: said(1, 15.0)}
    assert corrections_of(archive.conn, one, A).keys() == {1, 2, 3}
    rows = archive.execute("select rendition, carried_from from corrections order by id").fetchall()
    assert rows == [(A, None), (A, None), (A, None), (B, 1)]
    assert [entry.counts for entry in history(archive, one)] == [True, False, False, False]


@pytest.mark.parametrize(
    ("given", "carried"),
    [
        ((5.0, None, 40.0), (5.0, None, 40.0)),
        ((5.0, 8.0, 40.1), (5.0, 8.0, 40.0)),  # words end a little beside where it was put in
        ((40.0, 45.0, 60.0), (70.0, 75.0, 90.0)),
        ((39.9, None, 60.0), (70.0, None, 90.0)),
        ((5.0, 40.0, 60.0), (5.0, 40.0, 90.0)),  # the answer goes on after it
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
    found = corrections_of(archive, one, B)[1]
    assert (found.start, found.end, found.answer_end) == carried


def test_that_a_question_is_not_asked_holds_where_nothing_was_added(
    changing: Fetched, archive: Database, one: str
) -> None:
    correct(archive, one, said(3, None))
    shorter = compared("changed", (0, 40, 0), gone=[(40, 100)])
    save_rendition(archive, one, audio(B, path=f"audio/{B}.wav"), comparison=shorter)
    changing.transcribed()
    assert corrections_of(archive.conn, one, B) == {3: said(3, None)}


def test_going_back_and_forth_brings_nothing_back_that_was_undone(
    changing: Fetched, archive: Database, one: str
) -> None:
    correct(archive, one, said(1, 5.0))
    changes(changing)
    undo(archive, one, 1, editor="bob", now=LATER)
    for sha256 in (A, B):
        choose_rendition(archive, one, sha256, reason="", chosen_by="bob", now=LATER)
        assert changing.transcribed().reason == "taken from its file"
    assert corrections_of(archive.conn, one, A).keys() == {1}
    assert corrections_of(archive.conn, one, B) == {}


def test_checked_words_hold_in_the_next_recording(
    changing: Fetched, archive: Database, one: str, engine: FakeEngine
) -> None:
    here = place(archive.conn, one, 0, 0)
    check(archive, one, (0, 0), "Good evening.", seen=here.seal, note=None, editor="ann", now=NOW)
    moved = tuple(word._replace(start=word.start + 10, end=word.end + 10) for word in engine.segments[0].words)
    engine.segments = (type(engine.segments[0])(10.1, 10.9, "Good morning.", moved, confidence=0.85),)
    assert "1 check carried over from the earlier recording" in changes(changing)
    ((start, text),) = archive.execute(
        "select start, text from segments where transcript = ?", [preferred_transcript(archive, one)]
    ).fetchall()
    assert (start, text) == (pytest.approx(10.1), "Good evening.")
    (carried,) = checks_of(archive.conn, B)
    assert (carried.editor, carried.made_at) == ("ann", NOW)


def test_words_that_were_checked_since_stand_when_checks_are_carried_over_again(
    changing: Fetched, archive: Database, one: str, engine: FakeEngine
) -> None:
    here = place(archive.conn, one, 0, 0)
    check(archive, one, (0, 0), "Good evening.", seen=here.seal, note=None, editor="ann", now=NOW)
    heard = engine.segments[0]
    moved = tuple(word._replace(start=word.start + 10, end=word.end + 10) for word in heard.words)
    engine.segments = (replace(heard, start=heard.start + 10, end=heard.end + 10, words=moved),)
    changes(changing)
    here = place(archive.conn, one, 0, 0)
    check(archive, one, (0, 0), "Good night.", seen=here.seal, note=None, editor="bob", now=LATER)
    assert carry(archive, one, A, B) == Carried()
    assert [one.text for one in checks_of(archive.conn, B)] == ["Good night."]


def test_who_speaks_where_not_all_of_it_is_there_stays_with_the_earlier_recording(
    changing: Fetched, archive: Database, one: str
) -> None:
    here = speech(archive.conn, one, 0, 0)
    attribute(archive, here, "Ann Lee", everywhere=False, note=None, editor="ann", now=NOW)
    cut = compared("changed", (0.5, 100, 0), gone=[(0, 0.5)])
    save_rendition(archive, one, audio(B, path=f"audio/{B}.wav"), comparison=cut)
    assert "1 stayed with the earlier recording" in changing.transcribed().reason
    assert attributions_of(archive.conn, B) == ()


# --- the command ---


def test_the_command_lists_recordings_and_records_a_choice(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    with writer(path) as db:
        one, _ = add_feed(db, "show", episode("one", title="First"), episode("two", title="Second"))
        save_rendition(db, one, audio(A))
        save_rendition(db, one, audio(B, at=LATER), choice=Choice(True, "some is gone"), comparison=CHANGED)

    def run(*arguments: str) -> str:
        result = CliRunner().invoke(main, ["renditions", *arguments, "--db", str(path)])
        assert result.exit_code == 0, result.output
        return result.stdout

    listed = run()
    assert "Second" not in listed
    for line in (
        f"{B[:12]} 1:40, 0.0 MB, fetched {LATER}, counts",
        f"beside {A[:12]}: changed: 0:40 to 0:50 of the earlier one gone, 0:00 to 0:10 added",
        "0:50 to 1:40 is at 0:50 (+0.000 s)",
        f"{LATER} by rule: {B[:12]}, some is gone",
    ):
        assert line in listed
    assert f"ann: {A[:12]}, we cite it" in run("first", "--choose", A[:8], "--editor", "ann", "--note", "we cite it")
    found = json.loads(run("--json"))[one]
    assert [(kept["sha256"], kept["current"]) for kept in found["renditions"]] == [(A, True), (B, False)]
    assert found["renditions"][1]["comparisons"][0]["pieces"] == [[0, 40, 10], [50, 100, 50]]
    assert found["choices"][0]["chosen_by"] == "ann"
    result = CliRunner().invoke(main, ["renditions", "first", "--choose", "ff", "--db", str(path)])
    assert result.exit_code == 2
    assert "no recording that begins with “ff”" in result.stderr
    result = CliRunner().invoke(main, ["renditions", "first", "--choose", A, "--note", "x" * 1001, "--db", str(path)])
    assert (result.exit_code, "note: is longer than 1,000 characters" in result.stderr) == (2, True)
    assert CliRunner().invoke(main, ["renditions", "--choose", "ff", "--db", str(path)]).exit_code == 2
