"""Several recordings of one episode: which one is current, and mapping times from one to another."""

from __future__ import annotations

import json
import time
from itertools import permutations
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from sqlite_utils import Database

from pipeline.archive.database import writer
from pipeline.archive.rendition_choice import Choice, account, choose
from pipeline.archive.renditions import (
    Counterpart,
    choose_rendition,
    current_rendition,
    passage_in,
    renditions_of,
    save_rendition,
    translate,
)
from pipeline.audio.fingerprint import RATE
from pipeline.cli import main
from pipeline.errors import CorrectionError
from pipeline.model import Verdict
from tests.support.building import NOW, add_feed, episode
from tests.support.recordings import CHANGED, LATER, A, B, C, Fetched, Samples, audio, compared, fetched, one, talk

__all__ = ["fetched", "one", "talk"]  # fixtures


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
    assert account(compared("same", (0, 100, 0.03))) == "the same sound, re-encoded"
    assert account(CHANGED) == "0:40 to 0:50 of the earlier one gone, 0:00 to 0:10 added"
    assert account(compared("spliced", (0, 9, 5), added=[(0, 5)])) == "all of the earlier one, 0:00 to 0:05 added"
    assert account(compared("spliced", (0, 9, 0), (9, 20, 8))) == "all of the earlier one, with different pauses"
    assert account(compared("other")) == "it has hardly anything in common with the earlier one"
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
    """Three recordings: the second was compared with the first, and the third with the second."""
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
        (5, 9, Counterpart(15, 19, whole=True)),
        (39, 40.1, Counterpart(49, 50, whole=True)),  # words end slightly off the cut
        (35, 45, Counterpart(45, 50, whole=False)),
        (38, 52, Counterpart(48, 52, whole=False)),
        (42, 48, Counterpart(None, None, whole=False)),
        (40.0, 40.2, Counterpart(None, None, whole=False)),  # a word that was cut out
    ],
)
def test_a_passage_is_whole_in_part_or_not_at_all_in_another_recording(
    mapped: Database, start: float, end: float, found: Counterpart
) -> None:
    assert passage_in(mapped.conn, A, start, end, B) == found


def test_a_way_on_which_all_is_found_counts_though_it_is_longer(mapped: Database, one: str) -> None:
    save_rendition(mapped, one, audio(C, seconds=90), comparison=compared("changed", (0, 6, 0), old=A, new=C))
    assert passage_in(mapped.conn, A, 5, 9, C) == Counterpart(5, 9, whole=True)
    assert passage_in(mapped.conn, A, 35, 45, C) == Counterpart(35, 40, whole=False)


def test_a_feed_that_offers_the_same_files_for_many_episodes_does_not_keep_readers_waiting(
    archive: Database, one: str
) -> None:
    names = [f"{n:02x}" * 32 for n in range(12)]
    for old, new in permutations(names, 2):
        save_rendition(archive, one, audio(new), comparison=compared("changed", (0, 60, 1), old=old, new=new))
    began = time.process_time()
    assert passage_in(archive.conn, names[0], 5, 9, names[-1]) == Counterpart(6, 10, whole=True)
    assert passage_in(archive.conn, names[0], 70, 80, names[-1]) == Counterpart(None, None, whole=False)
    assert time.process_time() - began < 5


def test_recordings_that_were_never_compared_have_no_times_in_common(archive: Database, one: str) -> None:
    save_rendition(archive, one, audio(A))
    save_rendition(archive, one, audio(B))
    assert passage_in(archive.conn, A, 5, 9, B) is None


# --- the stages ---


def test_the_same_sound_is_kept_beside_and_changed_sound_counts(
    fetched: Fetched, archive: Database, one: str, talk: Samples
) -> None:
    assert fetched.comes(A, talk) is None
    fetched.transcribed()
    assert fetched.comes(B, talk * 0.5) == (
        "another recording: the same sound, re-encoded; the earlier one is still used: "
        "everything that was transcribed is in both"
    )
    assert current(archive, one) == A
    assert fetched.transcribed().routine
    said = fetched.comes(C, np.concatenate([talk[: 20 * RATE], talk[25 * RATE :]]))
    assert said is not None
    assert said.endswith("gone; it is used from now on: it lacks part of the earlier one")
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
    assert said.endswith("is still used: only what is neither question nor answer is gone, such as advertisements")
    assert current(archive, one) == A
    said = fetched.comes(C, talk[6 * RATE :])
    assert said is not None
    assert said.endswith("it is used from now on: it lacks part of the earlier one")


def test_what_a_person_chose_stays_whatever_comes(fetched: Fetched, archive: Database, one: str, talk: Samples) -> None:
    fetched.comes(A, talk)
    choose_rendition(archive, one, A, reason="the one that we cite", chosen_by="ann", now=NOW)
    said = fetched.comes(B, talk[: 20 * RATE])
    assert said is not None
    assert said.endswith("the earlier one is still used: ann chose the earlier one")
    assert current(archive, one) == A


def test_where_the_earlier_file_is_lost_the_new_one_counts(
    fetched: Fetched, archive: Database, one: str, talk: Samples
) -> None:
    fetched.comes(A, talk[: 5 * RATE])
    (fetched.tools.data / f"audio/{A}.wav").unlink()
    said = fetched.comes(B, talk[: 5 * RATE])
    assert said == "another recording: it is used from now on: the earlier one cannot be read any more"
    assert current(archive, one) == B


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
        f"{B[:12]} 1:40, 0.0 MB, fetched {LATER}, in use",
        f"compared with {A[:12]}: changed: 0:40 to 0:50 of the earlier one gone, 0:00 to 0:10 added",
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
