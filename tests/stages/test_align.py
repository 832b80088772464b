"""The align stage: what it stores, when it aligns again, and many episodes in parallel."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from sqlite_utils import Database

from pipeline.align.meaning import Encode, Vectors, encoded
from pipeline.archive.corrections import correct, undo
from pipeline.config import Config, Feed
from pipeline.model import Correction, Segment, Signature
from pipeline.runs.ingest import ingest
from pipeline.sample import DATA
from pipeline.stages import Tools
from pipeline.stages.align import align_together
from pipeline.stages.vector_cache import Remembered
from tests.support.building import NOW, add_feed, add_transcript, episode, spoken

TRUTH = json.loads((DATA / "episode-2.truth.json").read_text(encoding="utf-8"))
QUESTIONS = tuple(question["text"] for question in TRUTH["questions"])
SCRIPT = tuple(Segment(u["start"], u["end"], u["text"], speaker=u["speaker"]) for u in TRUTH["utterances"])


@pytest.fixture
def tools(make_tools: Callable[..., Tools], tmp_path: Path) -> Tools:
    return make_tools(encode=Remembered(encoded, tmp_path / "vectors"))


def config(tmp_path: Path) -> Config:
    return Config(folder=tmp_path, feeds=[Feed(slug="show", title="Show", url="https://example.org/feed.xml")])


def starts(archive: Database) -> dict[int, float | None]:
    return dict(archive.execute("select number, start from question_times order by number"))


def labels(archive: Database, text: str) -> tuple[str, int | None]:
    (found,) = archive.execute("select role, question from segments where text like ?", [f"{text}%"])
    return tuple(found)


def test_matches_follow_ups_runners_up_and_labels_are_stored(archive: Database, tools: Tools, tmp_path: Path) -> None:
    (one,) = add_feed(archive, "show", episode("one", questions=QUESTIONS))
    add_transcript(archive, one, SCRIPT)
    report = ingest(config(tmp_path), tools, stages=["align"])
    assert report.exit_code == 0
    assert [item.status for item in report.items] == ["ok"]
    assert "of 7 questions found" in (report.items[0].reason or "")
    assert starts(archive)[7] == pytest.approx(192.08, abs=0.1)
    (follow_up,) = archive.execute("select start, text from follow_ups").fetchall()
    assert follow_up == (99.447, "Did any of the neighbours object?")
    assert labels(archive, "We are almost out of time") == ("question", 7)
    assert labels(archive, "Next, we want to open") == ("answer", 7)
    (known,) = archive.execute("select count(runner_up) from matches where status = 'asked'").fetchone()
    assert known > 0
    again = ingest(config(tmp_path), tools, stages=["align"])
    assert again.skip_reasons("align") == {"already aligned": 1}


def test_a_correction_has_its_neighbours_decided_anew_and_undone_too(
    archive: Database, tools: Tools, tmp_path: Path
) -> None:
    (one,) = add_feed(archive, "show", episode("one", questions=QUESTIONS))
    add_transcript(archive, one, SCRIPT)
    ingest(config(tmp_path), tools, stages=["align"])
    found = starts(archive)
    archive.execute("update renditions set duration = 240")
    correct(archive, one, Correction(7, "asked", 99.5, editor="ann", made_at=NOW))
    assert labels(archive, "Did any of the neighbours object") == ("question", 7)
    ingest(config(tmp_path), tools, stages=["align"])
    assert starts(archive)[7] == 99.5
    assert labels(archive, "Did any of the neighbours object") == ("question", 7)
    undo(archive, one, 7, Signature("ann", NOW))
    assert starts(archive) == found
    assert labels(archive, "We are almost out of time") == ("question", 7)
    ingest(config(tmp_path), tools, stages=["align"])
    assert starts(archive) == found
    assert labels(archive, "We are almost out of time") == ("question", 7)


def test_what_is_told_anew_without_aligning_is_told_as_the_aligner_did(
    archive: Database, tools: Tools, tmp_path: Path
) -> None:
    (one,) = add_feed(archive, "show", episode("one", questions=QUESTIONS))
    add_transcript(archive, one, SCRIPT)
    archive.execute("update renditions set duration = 240")
    ingest(config(tmp_path), tools, stages=["align"])
    told = archive.execute("select role, question, questions from segments order by n").fetchall()
    assert ("answer", 4, "[4, 5]") in told
    for number in (2, 4, 6):
        correct(archive, one, Correction(number, "asked", 30.0 * number, editor="ann", made_at=NOW))
        assert archive.execute("select role, question, questions from segments order by n").fetchall() != told
        undo(archive, one, number, Signature("ann", NOW))
        assert archive.execute("select role, question, questions from segments order by n").fetchall() == told


def test_what_is_around_a_correction_is_stored_as_it_is_decided_given_it(
    archive: Database, tools: Tools, tmp_path: Path
) -> None:
    (one,) = add_feed(archive, "show", episode("one", questions=QUESTIONS))
    add_transcript(archive, one, SCRIPT)
    archive.execute("update renditions set duration = 240")
    correct(archive, one, Correction(5, "asked", 170.0, 171.0, editor="ann", made_at=NOW))
    ingest(config(tmp_path), tools, stages=["align"])
    rows = {
        row[0]: row[1:]
        for row in archive.execute("select number, status, start, answer_end, merged_with from question_times")
    }
    assert rows[4] == ("asked", 147.68, 170.0, None)
    assert rows[5][:2] == ("asked", 170.0)
    assert rows[7][:2] == ("asked", 192.083)
    assert labels(archive, "After a distressing case") == ("answer", 4)
    assert labels(archive, "It sounds strict") == ("answer", 5)


def test_to_confirm_a_question_moves_no_other_words_into_it(archive: Database, tools: Tools, tmp_path: Path) -> None:
    (one,) = add_feed(archive, "show", episode("one", questions=QUESTIONS))
    add_transcript(archive, one, SCRIPT)
    archive.execute("update renditions set duration = 240")
    correct(archive, one, Correction(3, "asked", 66.978, editor="ann", made_at=NOW))
    ingest(config(tmp_path), tools, stages=["align"])
    assert labels(archive, "Why did you want them back") == ("question", 3)
    assert labels(archive, "We were sending children") == ("answer", 3)


def test_an_archive_with_and_without_sentence_vectors_is_aligned_anew(
    archive: Database, tools: Tools, tmp_path: Path
) -> None:
    (one,) = add_feed(archive, "show", episode("one", questions=QUESTIONS))
    add_transcript(archive, one, SCRIPT)
    for _ in range(2):
        by_words = ingest(config(tmp_path), replace(tools, encode=None), stages=["align"])
        by_meaning = ingest(config(tmp_path), tools, stages=["align"])
        assert by_words.counts("align")["ok"] == by_meaning.counts("align")["ok"] == 1


def test_a_process_that_is_killed_and_an_episode_that_cannot_be_read_cost_nobody_else(
    archive: Database, tools: Tools, tmp_path: Path
) -> None:
    ids = add_feed(archive, "show", *(episode(f"e{n}", questions=QUESTIONS) for n in range(4)))
    for n, one in enumerate(ids):
        add_transcript(archive, one, SCRIPT, sha256=f"{n}" * 64)
    archive.execute("update segments set words = '[[1, 2]]' where episode = ? and n = 0", [ids[2]])
    killer = Killer(tools.encode)
    items = ingest(config(tmp_path), replace(tools, encode=killer), stages=["align"]).items
    assert {item.episode: item.status for item in items} == {one: "failed" if one == ids[2] else "ok" for one in ids}


@dataclass(frozen=True)
class Killer:
    """Sentence vectors that kill any process other than the one that created them."""

    encode: Encode | None
    home: int = field(default_factory=os.getpid)

    def __call__(self, texts: Sequence[str]) -> Vectors:
        if os.getpid() != self.home:
            os._exit(9)
        assert self.encode is not None
        return self.encode(texts)


def test_without_a_list_what_the_host_asks_becomes_one_until_one_is_published(
    archive: Database, tools: Tools, tmp_path: Path
) -> None:
    (one,) = add_feed(archive, "show", episode("one", questions=()))
    add_transcript(archive, one, SCRIPT)
    (item,) = ingest(config(tmp_path), tools, stages=["align"]).items
    assert item.reason == "no question list in the notes: 6 questions heard"
    rows = archive.execute("select distinct source from questions").fetchall()
    assert rows == [("detected",)]
    assert next(start for start in starts(archive).values() if start is not None) == pytest.approx(36.1, abs=0.1)
    add_feed(archive, "show", episode("one", questions=QUESTIONS))
    ingest(config(tmp_path), tools, stages=["align"])
    assert [text for (text,) in archive.execute("select text from question_times order by number")] == list(QUESTIONS)


def test_where_nothing_is_asked_any_more_no_question_stays(archive: Database, tools: Tools, tmp_path: Path) -> None:
    (one,) = add_feed(archive, "show", episode("one"))
    add_transcript(archive, one, SCRIPT)
    ingest(config(tmp_path), tools, stages=["align"])
    assert len(starts(archive)) > 0
    add_transcript(archive, one, spoken("Nobody asks anything here at all."), key="1" * 12)
    assert ingest(config(tmp_path), tools, stages=["align"]).exit_code == 0
    assert starts(archive) == {}


def test_a_detected_question_that_was_corrected_stays(archive: Database, tools: Tools, tmp_path: Path) -> None:
    (one,) = add_feed(archive, "show", episode("one", questions=()))
    add_transcript(archive, one, SCRIPT)
    ingest(config(tmp_path), tools, stages=["align"])
    correct(archive, one, Correction(1, "asked", 35.0, editor="ann", made_at=NOW))
    ingest(config(tmp_path), tools, stages=["align"])
    assert starts(archive)[1] == 35.0
    assert len(starts(archive)) == 6


def test_many_episodes_are_aligned_in_several_processes_as_in_one(
    archive: Database, tools: Tools, tmp_path: Path
) -> None:
    ids = add_feed(archive, "show", *(episode(f"e{n}", questions=QUESTIONS) for n in range(3)))
    for n, one in enumerate(ids[:2]):
        add_transcript(archive, one, SCRIPT, sha256=f"{n}" * 64)
    items = ingest(config(tmp_path), tools, stages=["align"]).items
    assert sorted(item.status for item in items) == ["ok", "ok", "skipped"]
    assert {item.reason for item in items if item.status == "skipped"} == {"no transcript yet"}
    rows = archive.execute("select start from matches where transcript = 1 order by question").fetchall()
    assert rows == archive.execute("select start from matches where transcript = 2 order by question").fetchall()


def test_nothing_to_align_is_no_work_for_other_processes(tools: Tools) -> None:
    assert list(align_together(tools, [], number=2)) == []


def test_the_time_that_a_publisher_gives_later_is_kept_and_aligns_anew(
    archive: Database, tools: Tools, tmp_path: Path
) -> None:
    begun = next(question["start"] for question in TRUTH["questions"] if question["number"] == 7)
    questions = ["Anything about breakfast?" if n == 7 else text for n, text in enumerate(QUESTIONS, 1)]
    listed = episode("one", questions=questions)
    (one,) = add_feed(archive, "show", listed)
    add_transcript(archive, one, SCRIPT)
    ingest(config(tmp_path), tools, stages=["align"])
    assert starts(archive)[7] != pytest.approx(begun, abs=8)
    timed = tuple(replace(one, stated=begun - 5 if one.number == 7 else None) for one in listed.questions)
    add_feed(archive, "show", replace(listed, questions=timed))
    ingest(config(tmp_path), tools, stages=["align"])
    assert starts(archive)[7] == pytest.approx(begun, abs=8)
    add_feed(archive, "show", replace(listed, questions=timed))
    assert ingest(config(tmp_path), tools, stages=["align"]).items[0].reason == "already aligned"
