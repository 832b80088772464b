"""The site: what its pages say, to whom, and that nothing that came from outside becomes part of them."""

from __future__ import annotations

import html
import re
import shutil
import sqlite3
import wave
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from pipeline.archive.database import writer
from pipeline.errors import QueryError
from pipeline.site import access, searching
from pipeline.times import seconds
from tests.archive_fixture import EVIL, SHA256, Kept, Serve, Site, kept, listening, serve, site
from tests.building import add_feed, add_transcript, episode, spoken

__all__ = ["kept", "serve", "site"]  # fixtures

TABLES = ("feeds", "episodes", "renditions", "transcripts", "segments", "speakers", "questions", "matches")
CHROMIUM = shutil.which("chromium")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
    "--disable-sync",
]


def pages_of(kept: Kept) -> list[str]:
    """A page of every kind, each with as much of the hostile text on it as can be."""
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


def text_of(response: Any) -> str:
    """What a reader sees of a page, on one line."""
    body = response.text.partition("<main")[2].partition("<footer")[0]
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]*>", " ", f"<main{body}")))


def test_the_front_page_shows_what_there_is_and_the_way_to_it(site: Site, kept: Kept) -> None:
    response = site.ask("/")
    assert response.status_code == 200
    text = text_of(response)
    assert text.index("One <script>") < text.index("Two")  # the newest first
    for said in ("2 January 2026", "5 questions", "not transcribed yet", "Shows 2", "Episodes 2", "People 0"):
        assert said in text
    for link in (f"/-/episode/{kept.spoken}", f"/-/episode/{kept.waiting}", "/-/search", "/a", "/-/feed/show"):
        assert f'"{link}' in response.text
    assert "made by machine, or come from the publisher" in response.text.partition("<footer")[2]


@pytest.mark.parametrize("path", ["/a/b/c/d/e", "/nothing", "/a/nothing", "/-/nothing.json"])
def test_an_unknown_address_is_not_found_and_nothing_is_printed_about_it(
    site: Site, capfd: pytest.CaptureFixture[str], path: str
) -> None:
    assert site.ask(path).status_code == 404
    assert capfd.readouterr() == ("", "")


def test_a_phrase_across_segments_is_found_and_leads_to_its_second(site: Site, kept: Kept) -> None:
    assert "Ways to search" in site.ask("/-/search").text  # nothing asked yet
    response = site.ask('/-/search?q="about relationships, and"')
    assert "<mark>about relationships, and</mark>" in response.text
    assert f'href="/-/episode/{kept.spoken}?t=2.0"' in response.text
    assert f'data-src="/-/audio/{SHA256}" data-t="2.0"' in response.text
    assert "1 passage" in text_of(response)


def test_json_has_the_hits_and_their_addresses(site: Site, kept: Kept) -> None:
    found = site.ask("/-/search.json?q=door").json()
    assert (found["total"], found["next"]) == (1, None)
    (hit,) = found["hits"]
    assert hit == {
        "episode": kept.spoken,
        "title": f"One {EVIL}",
        "published": "2026-01-02T03:04:05Z",
        "speaker": f"Guest {EVIL}",
        "role": "question",
        "question": 2,
        "start": 5.0,
        "end": 7.9,
        "text": f"The front door is {EVIL} calm.",
        "html": "The front <mark>door</mark> is &lt;script&gt;alert(1)&lt;/script&gt; calm.",
        "url": f"/-/episode/{kept.spoken}?t=5.0",
        "quote": f"/-/quote/{SHA256[:12]}/5000-7900",
        "rendition": SHA256,
        "before": "relationships, and it always was.",
        "after": "",  # somebody else speaks
    }
    nothing = site.ask("/-/search.json?q=").json()
    assert (nothing["hits"], nothing["total"], nothing["next"]) == ([], 0, None)


@pytest.mark.parametrize(
    ("query", "total"),
    [
        ("q=is", 2),
        ("q=is&feed=show", 2),
        ("q=is&feed=other", 0),
        ("q=is&role=question", 2),
        ("q=is&role=answer", 0),
        ("q=doubt&speaker=Host", 1),
        ("q=is&speaker=Host", 0),
        ("q=is&from=2026-01-02&to=2026-01-02", 2),
        ("q=is&from=2026-01-03", 0),
        ("q=is&to=2026-01-01", 0),
        ("q=is&page=nonsense", 2),
        ("q=is&page=-1", 2),
        ("q=is&page=1000000000000000000000", 2),
        ("q=is&page=²", 2),
        ("q=is&q=door", 2),
    ],
)
def test_filters_and_pages(site: Site, query: str, total: int) -> None:
    found = site.ask(f"/-/search.json?{query}").json()
    assert found["total"] == len(found["hits"]) == total
    assert site.ask(f"/-/search?{query}").text.count("<blockquote>") == total


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("from=yesterday", "“yesterday” is no date"),
        ("to=2026-02-30", "“2026-02-30” is no date"),
        ("role=guest", "“guest” is none of"),
        ("question=first", "“first” is no number of a question"),
        ("question=0", "“0” is no number of a question"),
        ("order=random", "“random” is none of"),
        ("q=" + "x" * 1001, "longer than 1,000 characters"),
    ],
)
def test_a_filter_that_makes_no_sense_is_said_not_ignored(site: Site, query: str, said: str) -> None:
    page, data = site.ask(f"/-/search?{query}"), site.ask(f"/-/search.json?{query}")
    assert page.status_code == data.status_code == 400
    assert said in text_of(page)
    assert said in data.json()["error"]


def test_filters_alone_list_all_that_they_let_through(site: Site) -> None:
    page, data = site.ask("/-/search?role=question"), site.ask("/-/search.json?role=question&facets=1").json()
    assert page.text.count("<blockquote>") == data["total"] == data["facets"]["counted"] == 2
    assert "Ways to search" not in page.text
    assert "Nothing found with these filters." in text_of(site.ask("/-/search?speaker=Nobody"))
    assert "Ways to search" in site.ask("/-/search").text


def test_what_was_nearly_said_another_spelling_and_a_looser_search_are_offered(site: Site, kept: Kept) -> None:
    page = site.ask('/-/search?q="work is about relationship"')
    assert "<del>relationship</del> <ins>relationships</ins>" in page.text
    assert f'href="/-/episode/{kept.spoken}?t=1.0"' in page.text
    data = site.ask('/-/search.json?q="work is about relationship"').json()
    assert [(one["differing"], one["text"]) for one in data["nearly"]] == [
        (1, "Good social work is about relationships, and it always was.")
    ]
    assert "Did you mean relationships ?" in text_of(site.ask("/-/search?q=relationshups"))
    assert "Looser: door OR zebra" in text_of(site.ask("/-/search?q=door+zebra"))


def test_what_to_offer_takes_little_time_or_is_left_out(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(searching, "INSTEAD_SECONDS", -1.0)
    monkeypatch.setattr(access, "_INSTRUCTIONS_BETWEEN_CHECKS", 1)
    address = "q=" + "%20".join(["relationshups", "good", "work"])
    page, data = site.ask(f"/-/search?{address}"), site.ask(f"/-/search.json?{address}").json()
    assert page.status_code == 200
    assert "Nothing found for relationshups good work" in text_of(page)
    assert (data["hits"], data["nearly"], data["spelling"], data["looser"]) == ([], [], None, None)


def test_hits_are_narrowed_down_by_how_they_spread_and_ordered(site: Site) -> None:
    page = site.ask("/-/search?q=is").text
    found = site.ask("/-/search.json?q=is&facets=1").json()
    assert found["facets"]["roles"] == [["question", 2]]
    assert 'href="/-/search?q=is&amp;question=1"' in page
    assert 'href="/-/search?q=is&amp;order=oldest"' in page
    assert site.ask("/-/search.json?q=is&question=1").json()["total"] == 1
    assert site.ask("/-/search.json?q=is&order=oldest").json()["order"] == "oldest"


def test_long_results_have_pages(serve: Serve, tmp_path: Path) -> None:
    path = tmp_path / "long.db"
    with writer(path) as db:
        (one,) = add_feed(db, "show", episode("one"))
        add_transcript(db, one, spoken(*["word & word"] * 45))
    site = serve(path)
    first, last = site.ask("/-/search?q=word+%26&feed=show").text, site.ask("/-/search?q=word+%26&page=3").text
    assert "45 passages, page 1 of 3" in first
    (following,) = re.findall(r'rel="next" href="([^"]*)"', first)
    assert following.startswith("/-/search?page=2-")
    assert "page 2 of 3" in site.ask(html.unescape(following)).text
    assert 'rel="prev"' not in first
    assert 'rel="prev" href="/-/search?page=2&amp;q=word+%26"' in last
    assert 'rel="next"' not in last
    assert "not so many pages" in site.ask("/-/search?q=word&page=9").text
    second = site.ask("/-/search.json?q=word&page=2").json()
    third = site.ask(f"/-/search.json?q=word&page={second['next']}").json()
    assert (len(second["hits"]), len(third["hits"]), third["next"]) == (20, 5, None)


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
            "0:03 to 0:09 checked by a person",
        ),
        items,
        strict=True,
    )] == [True] * 5, items  # fmt: skip
    assert f'<a class="time" href="/-/episode/{kept.spoken}?t=3.2" data-t="3.25">0:03</a>' in page
    assert re.findall(r'<li id="(q\d)"', page) == ["q1", "q2", "q3", "q4", "q5"]


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


@pytest.mark.parametrize(
    ("second", "marked"),
    [("2.5", 1), ("2.4", 1), ("2.2", 0), ("0:06", 2), ("6.9s", 2), ("9", 3), ("99", None), ("x", None), ("-1", None),
     ("6,nonsense", 2), ("6,5", 2), ("1e9", None), ("nan", None), ("", None)],
)  # fmt: skip
def test_a_time_in_the_address_marks_what_is_said_then(site: Site, kept: Kept, second: str, marked: int | None) -> None:
    page = site.ask(f"/-/episode/{kept.spoken}?t={second}").text
    assert re.findall(r'class="passage[^"]* marked" id="s(\d)"', page) == ([] if marked is None else [str(marked)])
    assert page.count(" autofocus") == (marked is not None)  # a browser goes there without any script
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
    assert re.search("no episode|keeps no audio", response.text)
    assert "Content-Security-Policy" in response.headers


class Tags(HTMLParser):
    """Collects the tags of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


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
    assert "alert(1)" in text_of(site.ask(f"/-/episode/{kept.spoken}"))  # it is there, as text


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
        re.findall(r'(?:src|stylesheet" href)="([^"]+)"', page), ("css", "javascript"), strict=True
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
    assert site.ask("/-/episode/no/thing").status_code == 403  # nor whether something exists
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


def test_head_sends_no_body_and_nothing_is_written(site: Site, kept: Kept) -> None:
    for path in ("/", "/-/search.json?q=door", f"/-/episode/{kept.spoken}"):
        response = site.ask(path, method="HEAD")
        assert response.status_code == 200
        assert response.content == b""
        assert site.ask(path, method="PUT", Sec_Fetch_Site="same-origin").status_code in {403, 405}


def test_a_search_that_takes_too_long_is_stopped(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access, "READ_SECONDS", 0.05)
    site = serve()
    archive = site.run(access.find_archive(site.datasette))
    endless = "with recursive n(i) as (select 1 union all select i + 1 from n) select count(*) from n"
    with pytest.raises(QueryError, match="longer than"):
        site.run(archive.read(lambda connection: connection.execute(endless).fetchone()))
    assert site.run(archive.read(lambda connection: connection.execute("select 1").fetchone()[0])) == 1


def _beep(path: Path) -> bytes:
    """Eleven seconds of silence as WAV: real enough for a browser to seek in."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(1)
        file.setframerate(8000)
        file.writeframes(b"\x80" * 8000 * 11)
    return path.read_bytes()


def _until(page: Any, first: float, last: float) -> None:
    """Wait until the player's time is in a range; page.wait_for_function would evaluate a string, which we forbid."""
    for _ in range(100):
        now = page.evaluate("document.getElementById('player').currentTime")
        if first <= now <= last:
            return
        page.wait_for_timeout(50)
    pytest.fail(f"{page.url}: the player is at {now}, not between {first} and {last}")


@pytest.mark.browser
@pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium here")
def test_in_a_browser_links_land_on_their_second_and_clicks_play(serve: Serve, kept: Kept) -> None:
    api = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
    file = next((kept.path.parent / "audio").rglob("*.mp3"))
    size = len(_beep(file))
    with writer(kept.path) as db, db.atomic():
        db.execute("update renditions set bytes = ?, content_type = 'audio/wav'", [size])
    with listening(serve()) as address, api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = browser.new_page(viewport={"width": 375, "height": 700})
        problems: list[str] = []
        page.on("console", lambda message: problems.append(message.text))
        page.on("pageerror", lambda error: problems.append(str(error)))
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        url = f"{address}/-/episode/{kept.spoken}"
        for suffix, second in (("?t=5.5", 5.5), ("#t=2.5", 2.5), ("#t=0:08,9", 8), ("#q4", 7.5)):
            page.goto("about:blank")
            page.goto(url + suffix)
            _until(page, second - 0.01, second + 0.01)
        page.click("#s1 a.time")
        _until(page, 2.51, 4)
        page.wait_for_selector("#s1[aria-current]")
        assert page.url.endswith("?t=2.5")
        page.goto(f"{address}/-/search?q=door")
        page.click("button.play")
        _until(page, 5.01, 7)
        assert page.evaluate("document.documentElement.scrollWidth") <= 375
        browser.close()
    assert problems == []
    assert [one for one in asked if not one.startswith((address, "about:"))] == []
