"""The layout of transcripts: turns and paragraphs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from pipeline.archive import reading
from pipeline.archive.database import reader, writer
from pipeline.model import Segment
from pipeline.site.turns import asked_in, turns
from tests.support.building import add_feed, add_transcript, episode, spoken
from tests.support.exporting import question


def test_paragraphs_end_at_pauses_and_after_long_sentences(tmp_path: Path) -> None:
    sentence = "This is one of many sentences that somebody says."  # 9 words
    quick = spoken(*[sentence] * 10, seconds_a_word=0.1)
    later: list[Segment] = [replace(one, start=one.start + 60, end=one.end + 60) for one in spoken("After a pause.")]
    with writer(tmp_path / "c.db") as db:
        (one,) = add_feed(db, "show", episode("one"))
        add_transcript(db, one, [*quick, *later])
    with reader(tmp_path / "c.db") as connection:
        found = reading.episode(connection, one)
    assert found is not None
    (turn,) = turns(found.passages)
    assert [len(paragraph) for paragraph in turn.paragraphs] == [7, 3, 1]
    assert turns(()) == ()


def test_what_is_asked_after_an_answer_to_the_same_question_follows_up_on_it() -> None:
    said = [("Ann", "question"), (None, "question"), ("Bob", "answer"), ("Ann", "question"), ("Bob", "answer")]
    passages = [
        reading.Passage(n, float(n), n + 0.9, "Words.", speaker, role, (3,), (), ())
        for n, (speaker, role) in enumerate(said)
    ]
    assert [turn.about for turn in turns(passages)] == ["asks", "Asked:", "", "follows up on", ""]


def test_every_question_with_a_time_is_asked_in_a_passage() -> None:
    said = [reading.Passage(n, 10.0 * n, 10.0 * n + 8, "Words.", None, "other", (), (), ()) for n in (1, 2)]
    asked = [question(n, "asked", start) for n, start in enumerate((3.0, 19.95, 25.0, 99.0), start=1)]
    found = asked_in(said, [*asked, question(5, "not_asked")])
    assert {n: [one.number for one in there] for n, there in found.items()} == {1: [1], 2: [2, 3, 4]}
    assert asked_in((), asked) == {}
