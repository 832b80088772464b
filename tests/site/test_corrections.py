"""Correcting on the site: what is recorded, and no other effects."""

from __future__ import annotations

import asyncio
import re
from concurrent.futures import ThreadPoolExecutor
from html import unescape
from typing import Any

import pytest

from pipeline.archive.database import writer
from pipeline.archive.questions.alignments import save_matches
from pipeline.archive.voices import save_speakers
from pipeline.model import Match, Speaker
from tests.support.archive_fixture import EVIL, Kept, Serve, Site, kept, serve, site
from tests.support.building import NOW, add_feed, add_transcript, episode, name_speaker, spoken
from tests.support.correcting import Visitor, ann, forms, recorded, undoing

__all__ = ["ann", "kept", "serve", "site"]  # fixtures


def test_what_is_recorded_and_undone_counts_at_once_in_search(ann: Visitor, site: Site, kept: Kept) -> None:
    def total() -> int:
        return int(site.ask("/-/search.json?q=question:2").json()["total"])

    assert total() == 1
    ann.said(2, status="not_asked")
    assert total() == 0
    ann.post(ann.fields(2, undo=str(recorded(kept)[0].id)), accept="application/json")
    assert total() == 1


def test_a_plain_form_records_and_leads_back_to_its_question(ann: Visitor, kept: Kept) -> None:
    response = ann.post(ann.fields(4, status="asked", start="0:06.25", note="two voices"))
    assert response.status_code == 303
    assert response.headers["location"] == f"/-/episode/{kept.spoken}#question-4"
    (entry,) = recorded(kept)
    assert (entry.status, entry.start, entry.end, entry.note, entry.editor) == (
        "asked",
        6.25,
        None,
        "two voices",
        "ann",
    )
    assert "0:06 to 0:09 checked by a person" in ann.row(4)
    assert "History (1) asked at 0:06.25 by ann" in ann.row(4)
    assert "0:06 to 0:09 checked by a person" in Visitor(ann.site, kept.spoken, None).row(4)


def test_a_script_gets_what_the_question_is_now(ann: Visitor, kept: Kept) -> None:
    answer = ann.said(4, status="asked", start="7.5", end="8", answer_end="0:09.5").json()
    assert answer["ok"]
    assert answer["message"] == "Question 4: asked at 0:07.5, corrected"
    assert (answer["question"]["start"], answer["question"]["answer_end"]) == (7.5, 9.5)
    assert 'value="0:09.5"' in ann.row_html(4)  # the editor's input stays in the form
    undo = undoing(ann.row_html(4))
    answer = ann.said(4, undo=undo).json()
    assert answer["message"] == "Question 4: uncertain at 0:07.5"
    assert [(entry.status, entry.undone) for entry in recorded(kept)] == [("asked", True), (None, False)]
    again = ann.said(4, undo=undo)
    assert again.status_code == 400
    assert "has no correction to undo" in again.json()["error"]


def test_not_asked_takes_no_times_from_the_form(ann: Visitor, kept: Kept) -> None:
    assert ann.said(1, status="not_asked", start="0:00", end="0:02").status_code == 200
    (entry,) = recorded(kept)
    assert (entry.status, entry.start, entry.end) == ("not_asked", None, None)
    assert "not asked checked by a person" in ann.row(1)


@pytest.mark.parametrize(
    ("said", "named"),
    [
        ({"status": "asked", "start": "nan"}, "start: “nan” is not a time"),
        ({"status": "asked", "start": "inf"}, "start: “inf” is not a time"),
        ({"status": "asked", "start": "-1"}, "start: “-1” is not a time"),
        ({"status": "asked", "start": "1e1"}, "start: “1e1” is not a time"),
        ({"status": "asked", "start": "0:75"}, "start: “0:75” is not a time"),
        ({"status": "asked", "start": ""}, "start: is missing"),
        ({"status": "asked", "start": "60.01"}, "start: 1:00.01 is past the end of the recording, 1:00"),
        ({"status": "asked", "start": "999999"}, "start: 277:46:39 is past the end"),
        ({"status": "asked", "start": "5", "end": "4"}, "end: 0:04 is before start"),
        ({"status": "asked", "start": "5", "end": "7", "answer_end": "6"}, "answer_end: 0:06 is before end"),
        ({"status": "asked", "start": "5", "end": EVIL}, f"end: “{EVIL}” is not a time"),
        ({"status": "uncertain", "start": "5"}, "status: “uncertain” is not one of asked, not_asked"),
        ({"status": ""}, "status: is missing"),
        ({}, "status: is missing"),
        ({"status": "asked", "start": "5", "note": "x" * 1001}, "note: is longer than 1,000 characters"),
        ({"undo": "1"}, "has no correction to undo"),
        ({"undo": "-1"}, "undo: “-1” is not a number"),
        ({"undo": "9" * 40}, "is not a number"),
        ({"status": "asked", "start": "5", "question": "4"}, "has no question “4” in its list"),
        ({"status": "asked", "start": "5", "question": ""}, "has no question"),
        ({"status": "asked", "start": "5", "episode": "no/thing"}, "no/thing has no question"),
    ],
)
def test_what_makes_no_sense_is_refused_with_a_sentence(
    ann: Visitor, kept: Kept, said: dict[str, str], named: str
) -> None:
    data, page = ann.said(4, **said), ann.post(ann.fields(4, **said))
    assert (data.status_code, page.status_code) == (400, 400)
    assert named in data.json()["error"]
    assert named in unescape(page.text)
    assert "Nothing was recorded" in page.text or "Not recorded: " in page.text
    assert EVIL not in page.text
    assert "Content-Security-Policy" in page.headers
    assert recorded(kept) == []


def test_what_was_typed_comes_back_in_the_form_of_its_question(ann: Visitor, site: Site, kept: Kept) -> None:
    Visitor(site, kept.spoken, "bob").said(4, status="asked", start="5")
    typed = {"start": "0:06.25", "end": "0:07", "answer_end": "0:08", "note": f"two {EVIL}"}
    page = ann.post(ann.fields(4, status="asked", **typed))
    assert page.status_code == 400
    assert "Not recorded: question 4 has been corrected since you loaded this page: asked at 0:05 by bob" in page.text
    (form,) = (one for one in forms(page.text) if " open>" in one)
    shown = {
        unescape(name): unescape(value)
        for name, value in re.findall(r'<input[^>]* ?name="(\w+)" value="([^"]*)"', form)
    }
    assert shown.items() >= typed.items()
    assert EVIL not in page.text
    assert "correct.js" not in page.text  # it could not renew this page
    assert "two" not in "".join(one for one in forms(page.text) if one != form)
    assert ann.post({**{name: shown[name] for name in (*ann.forms[3], *typed)}, "status": "asked"}).status_code == 303
    assert [(entry.start, entry.editor) for entry in recorded(kept)] == [(5.0, "bob"), (6.25, "ann")]
    for said in ({"status": "not_asked", "seen": "-"}, {"undo": "1"}):
        assert 'name="note" value="heard twice"' in ann.post(ann.fields(1, note="heard twice", **said)).text


def test_a_question_of_another_episode_is_refused(serve: Serve, kept: Kept) -> None:
    with writer(kept.path) as db:
        (other,) = add_feed(db, "third", episode("three", questions=["And here?"]))
        (foreign,) = db.execute("select id from questions where episode = ?", [other]).fetchone()
    ann = Visitor(serve(), kept.spoken)
    response = ann.said(1, status="asked", start="1", question=foreign)
    assert response.status_code == 400
    assert response.json()["error"].startswith(f"question: {kept.spoken} has no question")
    fields = ann.fields(1, status="asked", start="1", question=foreign, episode=other)
    del fields["seen"]
    assert "its audio is not kept yet" in ann.post(fields, accept="application/json").text


def test_an_episode_without_a_recording_has_no_forms_and_no_empty_player(site: Site, kept: Kept) -> None:
    with writer(kept.path) as db:
        (other,) = add_feed(db, "third", episode("three", questions=["Why?"]))
    ann = Visitor(site, other)
    assert "Why?" in ann.row(1)
    assert ann.forms == []
    assert 'class="player"' not in ann.get().text


def test_editors_at_the_same_time_are_all_recorded(serve: Serve, kept: Kept) -> None:
    def correct(visitors: list[Visitor]) -> list[int]:
        async def together() -> list[Any]:
            said = [one.fields(4, status="asked", start="6") for one in visitors]
            for fields in said:
                del fields["seen"]  # like a script that overrides other corrections
            return await asyncio.gather(*(one.posting(fields) for one, fields in zip(visitors, said, strict=True)))

        return [response.status_code for response in visitors[0].site.run(together())]

    sites = [serve(), serve()]  # two servers of one archive
    groups = [[Visitor(site, kept.spoken, f"editor {m}{n}") for n in range(3)] for m, site in enumerate(sites)]
    with writer(kept.path), ThreadPoolExecutor() as pool:  # during a run
        assert list(pool.map(correct, groups)) == [[303] * 3, [303] * 3]
    names = sorted(entry.editor or "" for entry in recorded(kept))
    assert names == [f"editor {m}{n}" for m in range(2) for n in range(3)]


def test_what_somebody_else_corrected_since_is_not_overwritten_unseen(ann: Visitor, site: Site, kept: Kept) -> None:
    bob = Visitor(site, kept.spoken, "bob")
    assert ann.said(4, status="asked", start="6").status_code == 200
    for said in ({"status": "asked", "start": "7"}, {"status": "not_asked"}):
        refused = bob.said(4, **said)
        assert refused.status_code == 400
        assert "has been corrected since you loaded this page: asked at 0:06 by ann" in refused.json()["error"]
    assert [(entry.start, entry.editor) for entry in recorded(kept)] == [(6.0, "ann")]
    assert "look at it again" in bob.said(1, status="asked", start="1", seen="999").json()["error"]
    bob = Visitor(site, kept.spoken, "bob")
    assert bob.said(4, status="asked", start="7").status_code == 200
    undo = undoing(Visitor(site, kept.spoken).row_html(4))
    assert bob.said(4, undo=undo).status_code == 200
    assert bob.said(4, status="asked", start="8").status_code == 200  # what that page showed is in force again


def test_a_second_of_another_recording_or_of_another_alignment_is_not_recorded_unseen(ann: Visitor, kept: Kept) -> None:
    def refused() -> bool:
        answer = ann.said(4, status="asked", start="6")
        return answer.status_code == 400 and "recording or time of question" in answer.json()["error"]

    with writer(kept.path) as db, db.atomic():
        newer = add_transcript(db, kept.spoken, spoken("Quite another cut."), sha256="cd" * 32)
    assert refused()
    ann = Visitor(ann.site, kept.spoken)
    with writer(kept.path) as db, db.atomic():
        save_matches(db, kept.spoken, newer, [Match(4, "asked", 0.5, 1.0, 1.5, 0.9)], key="k", now=NOW)
    assert refused()
    assert recorded(kept) == []
    assert Visitor(ann.site, kept.spoken).said(4, status="asked", start="1").status_code == 200


def test_whoever_is_at_work_on_several_questions_can_record_them_all(ann: Visitor) -> None:
    # The first two are asked together: a correction of one affects the other.
    for number, said in ((1, {"status": "not_asked"}), (2, {"status": "asked", "start": "0:00.2"})):
        assert ann.said(number, **said).status_code == 200


def test_the_rows_around_a_corrected_question_are_told_anew(ann: Visitor) -> None:
    ann.said(1, status="not_asked")
    assert "asked together" not in ann.row(2)
    ann.said(1, undo=undoing(ann.row_html(1)))
    assert "asked together" in ann.row(2)


def test_a_time_at_which_a_guest_is_heard_is_doubted(ann: Visitor, kept: Kept) -> None:
    with writer(kept.path) as db:
        save_speakers(db, 1, (Speaker(f"Guest {EVIL}", f"Guest {EVIL}", "guest", 9.0),))
        name_speaker(db, 1, f"Guest {EVIL}", "Ann Lee")
    told = ann.said(4, status="asked", start="1").json()["message"]
    assert told.endswith("corrected. Ann Lee, a guest, is speaking there: listen again to make sure it is asked there")
    assert ann.said(1, status="asked", start="8.2").json()["message"] == "Question 1: asked at 0:08.2, corrected"


def test_a_locked_archive_is_said_and_nothing_is_recorded(ann: Visitor, kept: Kept) -> None:
    ann.site.run(
        ann.site.datasette.get_database("a").execute_write_fn(
            lambda connection: connection.execute("pragma busy_timeout = 20").fetchone()
        )
    )
    with writer(kept.path) as db, db.atomic():
        db.execute("update episodes set last_seen = last_seen")
        response = ann.said(4, status="asked", start="6")
        page = ann.post(ann.fields(4, status="asked", start="6", note="heard twice"))
    assert (response.status_code, page.status_code) == (503, 503)
    assert "Not recorded: " in page.text
    assert 'name="note" value="heard twice"' in page.text
    assert "another program has locked it" in response.json()["error"]
    assert recorded(kept) == []
    assert ann.said(4, status="asked", start="6").status_code == 200


def test_nothing_that_editors_write_becomes_markup(site: Site, kept: Kept) -> None:
    ann = Visitor(site, kept.spoken, f"ann {EVIL}")
    assert EVIL not in ann.said(4, status="asked", start="6", note=f'"> {EVIL}').text
    page = ann.get().text
    assert EVIL not in page
    assert f"ann {EVIL}" in unescape(page)
    assert page.count("<script") == page.count('<script src="/-/static-plugins/interview-archive/')
    assert not re.search(r"<[^>]+ (style|on\w+)=", page)


def test_under_another_base_the_form_leads_there_and_back(serve: Serve, kept: Kept) -> None:
    ann = Visitor(serve(settings={"base_url": "/x/"}), kept.spoken)
    assert 'action="/x/-/correct"' in ann.get().text
    response = ann.post(ann.fields(4, status="asked", start="6"))
    assert response.headers["location"] == f"/x/-/episode/{kept.spoken}#question-4"
