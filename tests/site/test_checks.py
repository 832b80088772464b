"""Checking passages on the site: permissions, what is recorded, what everybody sees, and no other effects."""

from __future__ import annotations

import asyncio
import re
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from html import unescape
from typing import Any
from urllib.parse import urlencode

import pytest

from pipeline.archive import reading
from pipeline.archive.checks import CheckEntry, history
from pipeline.archive.database import reader, writer
from pipeline.site.access import find_archive
from tests.support.archive_fixture import EVIL, SHA256, Kept, Serve, Site, kept, opened, serve, site
from tests.support.building import add_transcript, spoken
from tests.support.checking import DOUBTED, Visitor, ann
from tests.support.correcting import FORM, TOKENS, configured

__all__ = ["ann", "kept", "serve", "site"]  # fixtures


def recorded(kept: Kept) -> list[CheckEntry]:
    """All recorded checks, oldest first."""
    with reader(kept.path) as connection:
        return list(reversed(history(connection, SHA256)))


def test_a_plain_form_records_and_leads_back_to_its_passage(ann: Visitor, kept: Kept, site: Site) -> None:
    assert ">I doubt that.</textarea>" in ann.form.text
    assert "You are checking as ann" in ann.form.text
    assert f'src="/-/audio/{SHA256}#t=8.0"' in ann.form.text
    response = ann.post(ann.fields("I do not  doubt that.", note="heard twice"))
    assert response.status_code == 303
    assert response.headers["location"] == f"/-/episode/{kept.spoken}#s{DOUBTED}"
    (entry,) = recorded(kept)
    assert (entry.text, entry.machine, entry.note, entry.editor, entry.start) == (
        *("I do not doubt that.", "I doubt that.", "heard twice", "ann", 8.0),
    )
    stranger = Visitor(site, kept, None)
    assert "I do not doubt that." in stranger.passage(DOUBTED)
    assert "checked by a person" in stranger.passage(DOUBTED)
    assert re.search(r"Checked by ann on \d+ \w+ \d{4}", stranger.passage(DOUBTED))
    assert "the machine heard “I doubt that.”: heard twice" in stranger.passage(DOUBTED)
    assert "Check the words" not in stranger.get().text
    page = stranger.get().text
    assert "Machine transcript, 1 of 4 passages checked by a person." in page
    assert "are not checked by a person" not in page
    assert "passage doubtful" not in page
    assert site.ask("/-/search.json?q=“do+not+doubt”").json()["hits"][0]["start"] == 8.4
    assert site.ask(f"/-/export/{kept.spoken}.vtt").text.count("not doubt that") == 1


def test_a_script_gets_the_form_and_what_was_recorded(ann: Visitor, kept: Kept) -> None:
    address = "/-/check?" + urlencode({"episode": kept.spoken, "n": DOUBTED})
    html = ann.get(address, accept="application/json").json()["html"]
    assert (html.count("<form"), html.count("<textarea")) == (2, 1)
    assert "<html" not in html
    answer = ann.said().json()
    assert (answer["ok"], answer["message"], answer["text"]) == (True, "0:08: checked", "I do not doubt that.")
    again = ann.get(address, accept="application/json").json()["html"]
    assert "The machine heard: “I doubt that.”" in unescape(again)
    (undo,) = re.findall(r'name="undo" value="(\d+)"', again)
    answer = ann.said(undo=undo).json()
    assert (answer["message"], answer["text"]) == ("0:08: undone", "I doubt that.")
    assert [(entry.text, entry.undone) for entry in recorded(kept)] == [("I do not doubt that.", True), (None, False)]
    assert "No longer checked" in ann.passage(DOUBTED)
    assert "passage doubtful" in ann.get().text
    assert ann.said(undo=undo).status_code == 400


def test_confirming_and_saying_that_nothing_is_said(ann: Visitor, site: Site, kept: Kept) -> None:
    assert ann.said("I doubt that.").status_code == 200
    assert "confirmed by ann" in ann.passage(DOUBTED)
    silent = Visitor(site, kept, n=0)
    assert silent.said("whatever stood there", status="nothing_said").json()["text"] == ""
    assert "(nothing is said)" in silent.passage(0)
    assert "heard: nothing is said by ann" in silent.passage(0)
    pointed = re.search('<p class="pointed">.*?</p>', site.ask(f"/-/episode/{kept.spoken}?t=1.0").text, re.DOTALL)
    assert pointed
    assert "nothing is said</a>, as a person has checked" in pointed[0]
    assert "“" not in pointed[0]
    assert "Cite" not in pointed[0]
    assert "2 of 4 passages checked" in silent.get().text
    text = site.ask(f"/-/export/{kept.spoken}.txt").text
    assert "about" not in text
    assert "faster-whisper), 2 passages checked by a person. Listen" in text


@pytest.mark.parametrize(
    ("said", "named"),
    [
        ({"text": ""}, "text: is missing; if nothing is said, use the button"),
        ({"text": " \u200b\x00\n "}, "text: is missing"),
        ({"text": "x" * 10_001}, "text: is longer than 10,000 characters"),
        ({"note": "x" * 1001}, "note: is longer than 1,000 characters"),
        ({"status": ""}, "status: must be checked or nothing_said"),
        ({"status": "asked"}, "status: must be"),
        ({"first": ""}, "first: “” is not a number"),
        ({"last": "-1"}, "last: “-1” is not a number"),
        ({"first": "9", "last": "9"}, "has no such passage"),
        ({"first": "0"}, "the words there have changed since you looked at them"),
        ({"seen": ""}, "the words there have changed"),
        ({"episode": "no/thing"}, "no/thing is not transcribed"),
        ({"undo": "1"}, "undo: that check is no longer in force"),
        ({"undo": EVIL}, f"undo: “{EVIL}” is not a number"),
    ],
)
def test_what_makes_no_sense_is_refused_with_a_sentence(
    ann: Visitor, kept: Kept, said: dict[str, str], named: str
) -> None:
    data, page = ann.said(**said), ann.post(ann.fields(**said))
    assert (data.status_code, page.status_code) == (400, 400)
    assert named in data.json()["error"]
    assert named in unescape(page.text)
    assert EVIL not in page.text
    assert "Content-Security-Policy" in page.headers
    assert recorded(kept) == []


@pytest.mark.parametrize(
    ("n", "named"), [("99", "has no such passage"), ("0", "undo: that check is no longer in force there")]
)
def test_undoing_is_recorded_only_for_the_passage_that_it_names(ann: Visitor, kept: Kept, n: str, named: str) -> None:
    assert ann.said().status_code == 200
    answer = ann.said(undo="1", first=n, last=n)
    assert answer.status_code == 400
    assert named in answer.json()["error"]
    assert [entry.undone for entry in recorded(kept)] == [False]


def test_a_page_gone_stale_is_refused(ann: Visitor, site: Site, kept: Kept) -> None:
    bob = Visitor(site, kept, "bob")
    assert ann.said().status_code == 200
    response = bob.said("I doubt this.")
    assert response.status_code == 400
    assert "look at them again" in response.json()["error"]
    with writer(kept.path) as db:
        add_transcript(db, kept.spoken, spoken("Quite", "other", "words."), sha256=SHA256, key="1" * 12)
    assert (
        "changed" in Visitor(site, kept, "bob", n=1).said(seen=ann.hidden["seen"], first="1", last="1").json()["error"]
    )
    assert len(recorded(kept)) == 1


@pytest.mark.parametrize(
    "query", ["", "?episode=no/thing&n=0", "?n=x", "?episode={}&n=99", "?episode={}&n=" + "9" * 99]
)
def test_there_is_no_form_for_what_is_not_there(ann: Visitor, kept: Kept, query: str) -> None:
    response = ann.get("/-/check" + query.format(kept.spoken))
    assert response.status_code == 400
    assert "Content-Security-Policy" in response.headers


@pytest.mark.parametrize("actor", [None, ""])
def test_who_is_not_signed_in_is_told_how(site: Site, kept: Kept, ann: Visitor, actor: str | None) -> None:
    stranger = Visitor(site, kept, actor)
    assert stranger.form.status_code == 403
    assert "Sign in first" in stranger.form.text
    page = stranger.get().text
    assert "check.js" not in page
    assert "/-/check" not in page
    for response in (stranger.post(ann.fields()), stranger.post(ann.fields(), accept="application/json")):
        assert response.status_code == 403
        assert "may check words" in response.text
    assert recorded(kept) == []


ONLY_ANN = {"permissions": {"check-words": {"id": ["ann", "carol"]}}}


@pytest.mark.parametrize("config", [ONLY_ANN, {"databases": {"a": ONLY_ANN}}], ids=["instance", "database"])
def test_who_may_check_is_configured_apart_from_who_may_correct(
    serve: Serve, kept: Kept, config: dict[str, Any]
) -> None:
    site = serve(**configured(**config))
    ann, bob = Visitor(site, kept), Visitor(site, kept, "bob")
    assert bob.form.status_code == 403
    assert "who may not check words" in bob.form.text
    assert "check.js" not in bob.get().text
    assert "correct.js" in bob.get().text
    assert bob.post(ann.fields()).status_code == 403
    assert recorded(kept) == []
    assert ann.post(ann.fields()).status_code == 303


def test_who_may_not_see_the_archive_may_not_check_it(serve: Serve, kept: Kept) -> None:
    fields = Visitor(serve(), kept).fields()
    bob = Visitor(serve(**configured(allow={"id": "ann"})), kept, "bob")
    assert "doubt" not in bob.form.text
    assert bob.form.status_code == bob.post(fields).status_code == 403
    assert recorded(kept) == []


@pytest.mark.skipif(not TOKENS, reason="this Datasette has no tokens")
def test_a_wrong_or_missing_token_is_refused(ann: Visitor, kept: Kept) -> None:
    fields = ann.fields()
    missing = {name: value for name, value in fields.items() if name != "csrftoken"}
    for wrong in (missing, {**fields, "csrftoken": ""}, {**fields, "csrftoken": "wrong"}):
        assert ann.post(wrong).status_code == 403
    assert recorded(kept) == []
    assert ann.post(missing, x_csrftoken=ann.hidden["csrftoken"]).status_code == 303


@pytest.mark.skipif(TOKENS, reason="this Datasette has tokens")
@pytest.mark.parametrize("origin", ["cross-site", "same-site"])
def test_what_another_site_sends_is_refused(ann: Visitor, kept: Kept, origin: str) -> None:
    assert ann.post(ann.fields(), sec_fetch_site=origin).status_code == 403
    assert ann.post(ann.fields(), origin="https://elsewhere.example", host="localhost").status_code == 403
    assert recorded(kept) == []
    assert ann.post(ann.fields(), sec_fetch_site="same-origin").status_code == 303


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b'{"status": "checked"}', "application/json", 415),
        (b"status=checked", "", 415),
        (b"text=" + b"x" * 70_000, FORM, 413),
        (b"text=Zo\xeb", FORM, 400),
        (b"text=Zo%EB", FORM, 400),
        (b"&".join(b"a%d=1" % n for n in range(40)), FORM, 400),
        (b"", FORM, 400),
    ],
)
def test_what_is_no_such_form_is_refused(ann: Visitor, kept: Kept, body: bytes, kind: str, status: int) -> None:
    response = ann.post(body, content_type=kind, x_csrftoken=ann.hidden["csrftoken"], accept="application/json")
    assert response.status_code == status
    assert response.json()["ok"] is False
    assert recorded(kept) == []


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE"])
def test_only_posting_records(ann: Visitor, kept: Kept, method: str) -> None:
    response = ann.site.ask(
        "/-/check?" + urlencode({**ann.fields(), "n": "3"}), method=method, actor="ann", sec_fetch_site="same-origin"
    )
    assert response.status_code == (200 if method in {"GET", "HEAD"} else 405)
    assert recorded(kept) == []


def test_nothing_that_editors_write_becomes_markup_or_a_mark_of_the_search(site: Site, kept: Kept) -> None:
    ann = Visitor(site, kept, f"ann {EVIL}")
    written = f"No\x00 \x02doubt\x03 </textarea>{EVIL} \x1b[0m"
    assert ann.said(written, note=f'"> {EVIL}\x02').json()["text"] == f"No doubt </textarea>{EVIL} [0m"
    form = ann.get("/-/check?" + urlencode({"episode": kept.spoken, "n": DOUBTED})).text
    for page in (ann.get().text, form):
        assert EVIL not in page
        assert f"ann {EVIL}" in unescape(page)
        assert not re.search(r"<[^>]+ (style|on\w+)=", page)
        assert not re.search(r"[\x00\x02\x03\x1b]", page)
    (hit,) = site.ask("/-/search.json?q=“no+doubt”").json()["hits"]
    assert hit["html"] == "<mark>No doubt</mark> &lt;/textarea&gt;&lt;script&gt;alert(1)&lt;/script&gt; [0m"


def test_an_archive_that_never_changes_offers_no_forms(kept: Kept, site: Site) -> None:
    fields = Visitor(site, kept).fields()
    with opened(immutables=[str(kept.path)]) as frozen:
        ann = Visitor(frozen, kept)
        assert ann.form.status_code == 403
        response = ann.post(fields, sec_fetch_site="same-origin")
    assert response.status_code == 403
    assert recorded(kept) == []


def test_editors_at_the_same_time_are_recorded_or_told(serve: Serve, kept: Kept) -> None:
    """Concurrent checks of different passages do not conflict; of the same passage only the first is recorded."""

    def check(visitors: list[Visitor]) -> list[int]:
        async def together() -> list[Any]:
            return await asyncio.gather(*(one.posting(one.fields(one.cookies["who"])) for one in visitors))

        return [response.status_code for response in visitors[0].site.run(together())]

    groups = []
    for m in range(2):  # two servers of one archive
        site = serve()
        group = [Visitor(site, kept, f"editor {m}{n}", n=n) for n in (0, 3)]
        for n, one in enumerate(group):
            one.cookies["who"] = f"{m}{n}"
        groups.append(group)
    with writer(kept.path), ThreadPoolExecutor() as pool:  # during a run
        answers = sorted(status for statuses in pool.map(check, groups) for status in statuses)
    assert answers == [303, 303, 400, 400]
    assert len(recorded(kept)) == 2


def test_a_locked_archive_is_said_and_nothing_is_recorded(ann: Visitor, kept: Kept) -> None:
    ann.site.run(
        ann.site.datasette.get_database("a").execute_write_fn(
            lambda connection: connection.execute("pragma busy_timeout = 20").fetchone()
        )
    )
    with writer(kept.path) as db, db.atomic():
        db.execute("update episodes set last_seen = last_seen")
        response = ann.said()
        page = ann.post(ann.fields("I never doubt that."))
    assert (response.status_code, page.status_code) == (503, 503)
    assert ">I never doubt that.</textarea>" in page.text
    assert "another program has locked it" in response.json()["error"]
    assert recorded(kept) == []
    assert ann.said().status_code == 200


def test_under_another_base_the_form_leads_there_and_back(serve: Serve, kept: Kept) -> None:
    ann = Visitor(serve(settings={"base_url": "/x/"}), kept)
    assert 'action="/x/-/check"' in ann.form.text
    assert 'href="/x/-/check?episode=' in ann.get().text
    assert ann.post(ann.fields()).headers["location"] == f"/x/-/episode/{kept.spoken}#s{DOUBTED}"


def test_all_that_a_page_reads_is_of_one_moment(site: Site, kept: Kept) -> None:
    def read(connection: sqlite3.Connection) -> bool:
        before = reading.episode(connection, kept.spoken)
        with writer(kept.path) as db:  # a run writes between two of the page's statements
            add_transcript(db, kept.spoken, spoken("Quite", "other", "words."), sha256=SHA256, key="1" * 12)
        return reading.episode(connection, kept.spoken) == before

    async def ask() -> bool:
        archive = await find_archive(site.datasette)
        assert archive is not None
        return await archive.read(read)

    assert site.run(ask())


def test_what_was_not_recorded_comes_back_in_the_form_with_what_stands_there(
    ann: Visitor, site: Site, kept: Kept
) -> None:
    Visitor(site, kept, "bob").said("I doubt this.")
    answer = ann.post(ann.fields("I never doubt <that>.", note="heard twice"))
    assert answer.status_code == 400
    assert "Not recorded: the words there have changed since you looked at them" in answer.text
    assert ">I never doubt &lt;that&gt;.</textarea>" in answer.text
    assert 'value="heard twice"' in answer.text
    assert "The words there are now: “I doubt this.”" in answer.text
    seen = re.search(r'name="seen" value="(\w+)"', answer.text)
    assert seen
    assert ann.post(ann.fields("I never doubt <that>.", seen=seen[1])).status_code == 303


def test_after_a_new_transcript_what_was_typed_comes_back_at_its_own_time(ann: Visitor, kept: Kept) -> None:
    with writer(kept.path) as db:
        moved = [*spoken("Once more.", start=0.0), *spoken("I doubt that.", start=float(ann.hidden["start"]))]
        add_transcript(db, kept.spoken, moved, sha256=SHA256, key="1" * 12)
    answer = ann.post(ann.fields("I never doubt that."))
    assert answer.status_code == 400
    assert ">I never doubt that.</textarea>" in answer.text
    shown = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', answer.text))
    assert (shown["first"], shown["start"]) == ("1", ann.hidden["start"])
