"""The site's pages: what they say, to whom, and that untrusted text never becomes markup."""

from __future__ import annotations

import re
import shutil
import sqlite3
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pipeline.archive.database import writer
from pipeline.times import seconds
from tests.support.archive_fixture import EVIL, SHA256, Kept, Serve, Site, kept, serve, site
from tests.support.building import add_feed, episode
from tests.support.reading import Tags, text_of

__all__ = ["kept", "serve", "site"]  # fixtures

TABLES = ("feeds", "episodes", "renditions", "transcripts", "segments", "speakers", "questions", "matches")


def pages_of(kept: Kept) -> list[str]:
    """A page of every kind, each with as much hostile text as possible."""
    return [
        "/",
        "/-/search",
        "/-/search?q=door",
        f"/-/search?q={EVIL}&speaker={EVIL}",
        f"/-/search?q=door&role={EVIL}",
        "/-/search?q=nowhere",
        f"/-/episode/{kept.spoken}",
        f"/-/episode/{kept.spoken}?t=6",
        f"/-/episode/{kept.waiting}",
        f"/-/quote/{SHA256[:12]}/0-9000?w=000000",
        f"/-/quote/{SHA256[:12]}/{EVIL.replace('/', '')}",
        f"/-/episode/{EVIL.replace('/', '')}/x",
        "/-/audio/none",
    ]


def test_the_front_page_shows_what_there_is_and_the_way_to_it(site: Site, kept: Kept) -> None:
    response = site.ask("/")
    assert response.status_code == 200
    text = text_of(response)
    assert text.index("One <script>") < text.index("Two")  # newest first
    for said in ("2 January 2026", "5 questions", "not transcribed yet", "Shows 2", "Episodes 2", "Speakers 0"):
        assert said in text
    for link in (f"/-/episode/{kept.spoken}", f"/-/episode/{kept.waiting}", "/-/search", "/a", "/-/feed/show"):
        assert f'"{link}' in response.text
    assert "made by machine, or come from the publisher" in response.text.partition("<footer")[2]


def test_a_second_read_off_a_clock_opens_the_passage_that_begins_in_it(site: Site, kept: Kept) -> None:
    for address, second in (("?t=2", "2.5"), ("?t=0:02,4", "2.5"), ("?t=2.0", "2.0"), ("?t=2,2.3", "2.0")):
        page = site.ask(f"/-/episode/{kept.spoken}{address}").text
        (opened,) = re.findall(r"<p class=\"pointed\">You are at <a[^>]* data-t=\"([^\"]+)\"", page)
        assert opened == second
        marked = re.findall(r'<span class="passage marked" id="(s\d)"', page)
        assert marked == (["s1"] if second == "2.5" else ["s0"])


@pytest.mark.parametrize("path", ["/a/b/c/d/e", "/nothing", "/a/nothing", "/-/nothing.json"])
def test_an_unknown_address_is_not_found_and_nothing_is_printed_about_it(
    site: Site, capfd: pytest.CaptureFixture[str], path: str
) -> None:
    assert site.ask(path).status_code == 404
    assert capfd.readouterr() == ("", "")


def test_an_episode_lists_its_questions_with_what_is_known_of_each(site: Site, kept: Kept) -> None:
    page = site.ask(f"/-/episode/{kept.spoken}").text
    found = re.findall(r"<li id=.*?</li>", page, re.DOTALL)
    items = [re.sub(r"\s+", " ", re.sub(r"<[^>]*>", "", item)) for item in found]
    assert [said in item for said, item in zip(
        (
            "0:00 to 0:04 high confidence (0.95)",
            "0:05 to 0:07 asked together with question 1 medium confidence (0.70)",
            "not asked medium confidence (0.80)",
            "0:07 to 0:09 uncertain low confidence (0.41)",
            "0:03 to 0:03 checked by a person",
        ),
        items,
        strict=True,
    )] == [True] * 5, items  # fmt: skip
    assert f'<a class="time" href="/-/episode/{kept.spoken}?t=3.2" data-t="3.25">0:03</a>' in page
    assert re.findall(r'<li id="question-(\d)"', page) == ["1", "2", "3", "4", "5"]


def test_links_to_a_question_lead_to_where_it_is_asked_and_else_to_the_list(site: Site, kept: Kept) -> None:
    page = site.ask(f"/-/episode/{kept.spoken}").text
    asked = re.findall(r'id="s(\d)"[^>]*>((?:<span id="q\d"></span>)*)', page)
    assert [(passage, re.findall(r"q(\d)", anchors)) for passage, anchors in asked] == [
        ("0", ["1"]), ("1", ["5"]), ("2", ["2", "4"]), ("3", []),
    ]  # fmt: skip
    assert re.findall(r'<p id="q(\d)">And the budget', page) == ["3"]
    assert len(re.findall(r'id="q\d"', page)) == 5
    with writer(kept.path) as db, db.atomic():
        db.execute("update transcripts set preferred = 0")
    assert re.findall(r'<p id="q(\d)">', site.ask(f"/-/episode/{kept.spoken}").text) == ["1", "2", "3", "4", "5"]


def test_a_transcript_is_in_turns_with_a_link_for_every_passage(site: Site, kept: Kept) -> None:
    response = site.ask(f"/-/episode/{kept.spoken}")
    page, text = response.text, text_of(response)
    begun = re.findall(r'id="s(\d)" data-start="([\d.]+)"', page)
    assert begun == [("0", "0.0"), ("1", "2.5"), ("2", "5.0"), ("3", "8.0")]
    assert f'href="/-/episode/{kept.spoken}?t=2.5" data-t="2.5">0:02</a>' in page
    assert 'data-words="0 0 40 5 10 40 7 10 40 5 10 40 3 10 40"' in page
    assert page.count("<h3") == 3 + 1  # a turn ends with the speaker or the question
    assert "asks question 2" in text
    assert "Host 0:08 I doubt that." in text
    assert "I doubt that. Listen before quoting: the words are uncertain." in text
    for said in (
        "not checked by a person",
        "Model tiny.en",
        "Engine faster-whisper",
        "2 January 2026, 03:04 UTC",
        SHA256,
    ):
        assert said in text
    assert "not transcribed yet" in site.ask(f"/-/episode/{kept.waiting}").text


def test_what_the_publisher_changed_is_told_as_plain_text(site: Site, kept: Kept) -> None:
    address = f"/-/episode/{kept.waiting}"
    assert "What the publisher has changed" not in site.ask(address).text
    with writer(kept.path) as db:
        first = episode("two", title="Two", published="2025-12-01T00:00:00Z")
        notes = f"<p>{'Word ' * 100}</p><p>{EVIL}The end.</p>"
        url = "https://elsewhere.example/2.mp3?token=secret"
        for changed in (
            replace(first, notes_html=notes),
            replace(first, notes_html=notes.replace("The end", "Thanks"), title=f"Second {EVIL}"),
            replace(first, notes_html=notes.replace("The end", "Thanks"), title=f"Second {EVIL}", enclosure_url=url),
        ):
            add_feed(db, "other", changed)
    page = site.ask(address)
    shown = text_of(page).partition("What the publisher has changed since")[2].partition("Transcripts are made")[0]
    assert shown.split("2 January 2026 ")[1:] == [
        "Address of the audio : https://example.org/two.mp3 became https://elsewhere.example/2.mp3 ",
        "Show notes : … Word Word Word Word The end. became … Word Word Word Word Thanks. ",
        f"Title : Two became Second {EVIL} ",
        "Show notes : Notes became " + ("Word " * 47).strip() + " … ",
    ]
    assert "<script>alert" not in page.text
    assert "secret" not in page.text.partition("What the publisher has changed")[2]


def test_of_many_changes_the_newest_are_told(site: Site, kept: Kept) -> None:
    with writer(kept.path) as db, db.atomic():
        for n in range(53):
            db.execute(
                "insert into episode_history (episode, field, was, became, noticed_at) values (?, ?, ?, ?, ?)",
                [kept.spoken, "declared_duration" if n else "guid", str(n) if n else None, str(n + 60), "2026-01-02"],
            )
    page = site.ask(f"/-/episode/{kept.spoken}")
    assert page.text.count("<q>") == 50
    assert "Length declared by the feed : 0:52 became 1:52" in text_of(page)
    (table,) = re.findall(r'And 3 earlier changes: see <a href="([^"]+)"', page.text)
    assert site.ask(table.replace("&amp;", "&")).status_code == 200


@pytest.mark.parametrize(
    ("second", "marked"),
    [("2.5", 1), ("2.4", 1), ("2.2", 0), ("0:06", 2), ("6.9s", 2), ("9", 3), ("99", None), ("x", None), ("-1", None),
     ("6,nonsense", 2), ("6,5", 2), ("1e9", None), ("nan", None), ("", None)],
)  # fmt: skip
def test_a_time_in_the_address_marks_what_is_said_then(site: Site, kept: Kept, second: str, marked: int | None) -> None:
    page = site.ask(f"/-/episode/{kept.spoken}?t={second}").text
    assert re.findall(r'class="passage[^"]* marked" id="s(\d)"', page) == ([] if marked is None else [str(marked)])
    assert page.count(" autofocus") == (marked is not None)  # browsers scroll there without scripts
    if marked is not None:
        assert f'src="/-/audio/{SHA256}#t={seconds(second.partition(",")[0]):.1f}"' in page
        assert f'<a href="#s{marked}">' in page


def test_an_address_may_mark_a_stretch(site: Site, kept: Kept) -> None:
    page = site.ask(f"/-/episode/{kept.spoken}?t=2.5,0:06").text
    assert re.findall(r'class="passage[^"]* marked" id="s(\d)"', page) == ["1", "2"]
    assert page.count(" autofocus") == 1
    assert f'src="/-/audio/{SHA256}#t=2.5,6.0"' in page
    assert "You are at 0:02 to 0:06 “relationships, and it always was. The front door is" in text_of(
        site.ask(f"/-/episode/{kept.spoken}?t=2.5,6")
    )


def test_without_its_file_an_episode_has_no_player_but_can_be_read(site: Site, kept: Kept) -> None:
    shutil.rmtree(kept.path.parent / "audio")
    page = site.ask(f"/-/episode/{kept.spoken}").text
    assert "<audio" not in page
    assert "not in this copy of the archive" in page
    assert "I doubt that." in page
    assert 'href="https://example.org/one.mp3"' in page


def test_the_player_plays_the_file_that_the_times_belong_to(site: Site, kept: Kept) -> None:
    with writer(kept.path) as db, db.atomic():
        db.execute("update renditions set current = 0")
        db.execute(
            """insert into renditions (sha256, episode, url, final_url, bytes, content_type, duration, fetched_at, path)
               select 'new', episode, url, final_url, bytes, content_type, 99, fetched_at, path from renditions"""
        )
    page = site.ask(f"/-/episode/{kept.spoken}").text
    assert f'src="/-/audio/{SHA256}"' in page
    assert "has since put out another recording" in page


@pytest.mark.parametrize(
    "path", ["/-/episode/show/00000000", "/-/episode/no/thing", "/-/audio/" + "0" * 64, "/-/audio/x"]
)
def test_what_is_not_there_is_said_plainly(site: Site, path: str) -> None:
    response = site.ask(path)
    assert response.status_code == 404
    assert re.search("no episode|has no audio", response.text)
    assert "Content-Security-Policy" in response.headers


def test_nothing_from_outside_becomes_markup(site: Site, kept: Kept) -> None:
    for path in pages_of(kept):
        page = site.ask(path).text
        tags = Tags(page).found
        names = {name for _, attributes in tags for name in attributes}
        assert not [name for name in names if not re.fullmatch(r"(?!on)[a-z-]+", name) or name in {"style", "srcdoc"}]
        scripts = [attributes for tag, attributes in tags if tag == "script"]
        assert scripts, path
        for script in scripts:
            assert list(script) == ["src", "defer"]
            assert re.match(r"/-/static-plugins/interview-archive/\w+\.js\?", script["src"] or "")
        assert "javascript:" not in page
        assert "spy.gif" not in page
    assert "alert(1)" in text_of(site.ask(f"/-/episode/{kept.spoken}"))  # present, as text


def test_pages_are_strict_about_what_a_browser_may_do(site: Site, kept: Kept) -> None:
    for path in [*pages_of(kept), "/-/search.json?q=door"]:
        headers = site.ask(path).headers
        policy = dict(part.strip().split(" ", 1) for part in headers["Content-Security-Policy"].split(";"))
        assert policy["default-src"] == policy["script-src"] == policy["style-src"] == "'self'"
        assert "unsafe" not in headers["Content-Security-Policy"]
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "no-referrer"


def test_what_pages_need_is_served_by_the_site_itself(site: Site) -> None:
    page = site.ask("/").text
    for address, kind in zip(
        re.findall(r'(?:src|stylesheet" href)="([^"]+)"', page), ("css", "css", "javascript"), strict=True
    ):
        response = site.ask(address)
        assert response.status_code == 200
        assert kind in response.headers["content-type"]
        assert not re.search(r"https?://|@import", response.text)


@pytest.mark.parametrize(
    "metadata",
    [
        {"allow": {"id": "ann"}},
        {"databases": {"a": {"allow": {"id": "ann"}}}},
        {"databases": {"a": {"tables": {"segments": {"allow": {"id": "ann"}}}}}},
        {"databases": {"a": {"tables": {"checks": {"allow": {"id": "ann"}}}}}},
        {"databases": {"a": {"allow": {"id": "ann"}, "tables": {table: {"allow": True} for table in TABLES}}}},
    ],
    ids=["instance", "database", "table", "checks", "tables are open"],
)
def test_only_those_who_may_see_the_database_get_anything(serve: Serve, kept: Kept, metadata: dict[str, Any]) -> None:
    site = serve(metadata=metadata)
    paths = ["/", "/-/search?q=door", "/-/search.json?q=door", f"/-/episode/{kept.spoken}", f"/-/audio/{SHA256}"]
    for path in paths:
        for stranger in (None, "bob"):
            response = site.ask(path, actor=stranger)
            assert response.status_code == 403
            assert "door" not in response.text
        assert site.ask(path, actor="ann").status_code == 200
    assert site.ask("/-/episode/no/thing").status_code == 403  # not even whether something exists
    assert site.ask("/-/audio/none").status_code == 403


def test_every_link_holds_under_another_base(serve: Serve, kept: Kept) -> None:
    site = serve(settings={"base_url": "/x/"})
    for path in pages_of(kept):
        page = site.ask(path).text
        links = re.findall(r'(?:href|src|action|data-src)="([^"]*)"', page)
        assert links
        assert [link for link in links if not re.match(r"(http://localhost)?/x/(?!x/)|#|https://", link)] == []
    (hit,) = site.ask("/-/search.json?q=door").json()["hits"]
    assert hit["url"] == f"/x/-/episode/{kept.spoken}?t=5.0"
    assert site.ask(hit["url"].removeprefix("/x")).status_code == 200


def test_without_an_archive_datasette_keeps_its_own_pages(serve: Serve, tmp_path: Path) -> None:
    sqlite3.connect(tmp_path / "plain.db").execute("create table t (x)").connection.close()
    site = serve(tmp_path / "plain.db")
    home = site.ask("/")
    assert home.status_code == 200
    assert "plain" in home.text
    assert "Content-Security-Policy" not in home.headers
    for path in ("/-/search", "/-/search.json", "/-/episode/a/b", "/-/audio/x"):
        response = site.ask(path)
        assert response.status_code == 404
        assert "No interview archive" in response.text


def test_the_archive_may_be_one_of_several_databases(serve: Serve, kept: Kept, tmp_path: Path) -> None:
    sqlite3.connect(tmp_path / "0.db").execute("create table t (x)").connection.close()
    with writer(tmp_path / "b.db") as db:
        add_feed(db, "show", episode("other", title="From another archive"))
    databases = (tmp_path / "0.db", kept.path, tmp_path / "b.db")
    assert "Two" in serve(*databases).ask("/").text
    plugins = {"interview-archive": {"database": "b", "title": "The <b> archive"}}
    page = serve(*databases, metadata={"plugins": plugins}).ask("/").text
    assert "From another archive" in page
    assert "The &lt;b&gt; archive" in page
    plugins = {"interview-archive": {"database": "gone"}}
    assert serve(*databases, metadata={"plugins": plugins}).ask("/-/search").status_code == 404


def test_datasettes_own_pages_lead_back(serve: Serve) -> None:
    page = serve().ask("/a").text
    assert "Search the transcripts" in page
    assert 'href="/-/search"' in page
    assert "Search the transcripts" not in serve(metadata={"allow": False}).ask("/a").text


def test_an_error_leads_home_and_to_search(serve: Serve) -> None:
    site = serve(settings={"base_url": "/x/"})
    for path in ("/nothing", "/a/nothing", "/a/segments/99", "/a/b/c/d/e"):
        response = site.ask(path)
        assert response.status_code == 404
        assert "There is no such page" in response.text
        links = re.findall(r'<a href="([^"]+)">(?:Home|Search the transcripts)</a>', response.text)
        assert links == ["/x/", "/x/-/search"]


def test_suggesting_a_spelling_leaves_nothing_on_the_page_of_the_database(site: Site) -> None:
    assert "Did you mean" in site.ask("/-/search?q=sociel").text  # uses a temporary table
    assert not any("are attached to this connection" in site.ask("/a").text for _ in range(6))  # of each thread


def test_the_page_of_the_database_names_first_what_is_most_useful(serve: Serve, kept: Kept, tmp_path: Path) -> None:
    sqlite3.connect(tmp_path / "plain.db").execute("create table segments (x)").connection.close()
    site = serve(kept.path, tmp_path / "plain.db")
    page = site.ask("/a").text
    assert ">_sqlite_migrations<" not in page
    useful = page.partition("Most useful:")[2].partition("</p>")[0]
    links = re.findall(r'href="([^"]+)"', useful)
    assert links == ["/a/segments", "/a/question_times", "/a/needs_listening"]
    assert all(site.ask(link).status_code == 200 for link in links)
    assert "Most useful" not in site.ask("/plain").text
    hidden = {"databases": {"a": {"tables": {"needs_listening": {"allow": False}}}}}
    page = serve(metadata=hidden).ask("/a").text
    assert "/a/question_times" in page
    assert "/a/needs_listening" not in page


def test_head_sends_no_body_and_nothing_is_written(site: Site, kept: Kept) -> None:
    for path in ("/", "/-/search.json?q=door", f"/-/episode/{kept.spoken}"):
        response = site.ask(path, method="HEAD")
        assert response.status_code == 200
        assert response.content == b""
        assert site.ask(path, method="PUT", Sec_Fetch_Site="same-origin").status_code in {403, 405}
