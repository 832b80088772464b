"""Saying on the site who speaks: what is recorded, where the name is shown, and what is refused."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote

import pytest

from pipeline.archive.database import writer
from tests.support.archive_fixture import EVIL, Kept, Site, kept, serve, site
from tests.support.checking import DOUBTED, Visitor, ann

__all__ = ["ann", "kept", "serve", "site"]  # fixtures


def who(visitor: Visitor, how: str, name: str = "Ann Lee", **said: str) -> Any:
    return visitor.post({**visitor.hidden, "who": how, "speaker": name, **said}, accept="application/json")


def test_an_editor_says_who_speaks_and_undoes_it(ann: Visitor, kept: Kept, site: Site) -> None:
    assert 'value="Host"' in ann.form.text
    assert who(ann, "here", note="her own words").json()["message"] == "0:08: recorded who speaks"
    assert ">Ann Lee</a>" in ann.get().text
    shown = ann.passage(DOUBTED)
    assert "Speaker identified by ann" in shown
    assert "Ann Lee named as the speaker by ann" in shown
    assert "the machine labelled it Host: her own words" in shown
    hit = site.ask("/-/search.json?q=doubt").json()["hits"][0]
    assert hit["speaker"] == "Ann Lee"
    quoted = site.ask(hit["quote"], accept="application/json").json()
    assert quoted["attributed"]
    assert "not checked by a person; the speaker is named by ann on" in quoted["citation"]["text"]
    stale = who(ann, "here", "Bo Cole").json()
    assert "has changed since you looked at it" in stale["error"]
    again = Visitor(site, kept)
    number = re.search(r'name="undo_speaker" value="(\d+)"', again.form.text)
    assert number
    assert again.post({**again.hidden, "undo_speaker": number[1]}).status_code == 303
    assert site.ask("/-/search.json?q=doubt").json()["hits"][0]["speaker"] == "Host"
    assert "who speaks: undone by ann" in again.passage(DOUBTED)


def test_a_voice_is_named_wherever_it_is_heard(site: Site, kept: Kept) -> None:
    assert who(Visitor(site, kept, n=0), "everywhere").json()["ok"]
    hits = site.ask("/-/search.json?speaker=Ann+Lee").json()["hits"]
    assert len(hits) == 3
    elsewhere = Visitor(site, kept, n=2).form.text
    assert "The machine’s label: Guest" in elsewhere
    assert "Undo “Ann Lee” everywhere" in elsewhere
    assert "Ann Lee named as the speaker wherever this voice is heard by ann" in elsewhere


def test_the_page_of_a_voice_that_was_named_leads_to_the_name(site: Site, kept: Kept) -> None:
    page = f"/-/speaker/{quote('Guest ' + EVIL, safe='')}"
    with writer(kept.path) as db:
        name = f"Guest {EVIL}"
        columns = "insert into speakers (transcript, label, name, role, seconds) select id, ?, ?, 'guest', 5.0"
        db.execute(f"{columns} from transcripts limit 1", [name, name])
        db.conn.commit()
    assert site.ask(page).status_code == 200
    who(Visitor(site, kept, n=0), "everywhere")
    answer = site.ask(page)
    assert (answer.status_code, answer.headers["location"]) == (302, "/-/speaker/Ann%20Lee")
    assert site.ask("/-/speaker/Ann%20Lee").status_code == 200


def test_a_name_that_nobody_has_any_more_leads_nowhere(ann: Visitor, site: Site, kept: Kept) -> None:
    assert who(ann, "everywhere", "Host").json()["ok"]
    assert site.ask("/-/speaker/Host").status_code == 200
    with writer(kept.path) as db:
        db.execute("update speakers set label = 'Other', name = 'Other'")
        db.conn.commit()
    assert site.ask("/-/speaker/Host").status_code == 404


def test_naming_a_speaker_is_not_checking_words(ann: Visitor, site: Site, kept: Kept) -> None:
    who(Visitor(site, kept, actor="bob"), "here")
    assert "Checked" not in ann.passage(DOUBTED)
    ann.post(ann.fields())
    assert re.search(r"Checked by ann on [^,;]*; speaker identified by bob on", ann.passage(DOUBTED))


@pytest.mark.parametrize(
    ("how", "said", "told"),
    [
        ("somewhere", {}, "who: must be here or everywhere"),
        ("everywhere", {"speaker": ""}, "speaker: is missing"),
        ("here", {"speaker": "x" * 300}, "speaker: is longer"),
        ("here", {"n": "99"}, "no such passage"),
        ("here", {"n": "x"}, "n: "),
    ],
)
def test_who_speaks_is_refused_with_a_reason(ann: Visitor, how: str, said: dict[str, str], told: str) -> None:
    before = ann.passage(DOUBTED)
    response = who(ann, how, **{"name": "Ann Lee", **said} if "speaker" not in said else {"name": said["speaker"]})
    assert (response.status_code, told in response.json()["error"]) == (400, True)
    assert ann.passage(DOUBTED) == before


def test_a_name_that_was_not_recorded_comes_back_in_the_form(ann: Visitor, site: Site, kept: Kept) -> None:
    who(Visitor(site, kept, actor="bob"), "here")
    answer = ann.post({**ann.hidden, "who": "here", "speaker": "Bo <Cole>", "note": "heard twice"})
    assert answer.status_code == 400
    assert "Not recorded: who speaks there has changed since you looked at it" in answer.text
    assert "The speaker there is now: Ann Lee" in answer.text
    assert 'name="speaker" value="Bo &lt;Cole&gt;"' in answer.text
    assert answer.text.count('name="note" value="heard twice"') == 1
    assert ">I doubt that.</textarea>" in answer.text
    hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', answer.text))
    assert ann.post({**hidden, "who": "here", "speaker": "Bo <Cole>"}).status_code == 303


def test_only_editors_say_who_speaks(site: Site, kept: Kept, ann: Visitor) -> None:
    stranger = Visitor(site, kept, None)
    response = stranger.post({**ann.hidden, "who": "here", "speaker": "Ann Lee"}, accept="application/json")
    assert response.status_code == 403
