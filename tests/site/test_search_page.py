"""The search page and its JSON: hits, filters, pages, and suggestions if there are no hits."""

from __future__ import annotations

import html
import json
import re
import shutil
from pathlib import Path
from urllib.parse import quote, urlencode

import pytest
from click.testing import CliRunner

from pipeline.archive.checks import check, place
from pipeline.archive.database import writer
from pipeline.cli import main
from pipeline.errors import QueryError
from pipeline.model import Signature
from pipeline.site import access, searching
from tests.support.archive_fixture import EVIL, SHA256, Kept, Serve, Site, kept, serve, site
from tests.support.building import NOW, add_feed, add_transcript, episode, spoken
from tests.support.reading import text_of

__all__ = ["kept", "serve", "site"]  # fixtures

BY = Signature("ann", NOW)


def test_a_phrase_across_segments_is_found_and_leads_to_its_second(site: Site, kept: Kept) -> None:
    assert "Ways to search" in site.ask("/-/search").text  # no query yet
    response = site.ask('/-/search?q="about relationships, and"')
    assert "<mark>about relationships, and</mark>" in response.text
    assert f'href="/-/episode/{kept.spoken}?t=2.0"' in response.text
    assert f'data-src="/-/audio/{SHA256}" data-t="2.0"' in response.text
    assert "1 passage" in text_of(response)


def test_every_speaker_is_offered_however_many_there_are(site: Site, kept: Kept) -> None:
    labels = [f"Guest {n:04}" for n in range(600)]
    with writer(kept.path) as db:
        db.conn.executemany(
            "insert into speakers (transcript, label, role, seconds) select id, ?, 'guest', 1.0 from transcripts",
            ([label] for label in labels),
        )
        db.conn.commit()
    page = site.ask("/-/search").text
    assert all(f'<option value="{label}">' in page for label in labels)


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
        "questions": [2],
        "start": 5.0,
        "end": 7.9,
        "text": f"The front door is {EVIL} calm.",
        "html": "The front <mark>door</mark> is &lt;script&gt;alert(1)&lt;/script&gt; calm.",
        "url": f"/-/episode/{kept.spoken}?t=5.0",
        "quote": f"/-/quote/{SHA256[:12]}/5000-7900?e={quote(kept.spoken, safe='')}",
        "rendition": SHA256,
        "before": "relationships, and it always was.",
        "after": "",  # somebody else speaks
        "turns": [],
        "flags": [],
        "checked": False,
    }
    nothing = site.ask("/-/search.json?q=").json()
    assert (nothing["hits"], nothing["total"], nothing["next"]) == ([], 0, None)


@pytest.mark.parametrize("page", ["nonsense", "-1", "0", "1000000000000000000000", "²", "1-2-3-4"])
def test_what_names_no_page_is_refused_rather_than_the_first_page_shown(site: Site, page: str) -> None:
    asked, said = urlencode({"q": "is", "page": page}), f"“{page}” is not a page"
    shown, told = site.ask(f"/-/search?{asked}"), site.ask(f"/-/search.json?{asked}")
    assert (shown.status_code, told.status_code) == (400, 400)
    assert said in html.unescape(shown.text)
    assert said in told.json()["error"]


def test_the_json_has_what_the_page_remarks_on_a_search_that_finds_something(site: Site) -> None:
    (remark,) = site.ask("/-/search.json?" + urlencode({"q": "is a*"})).json()["remarks"]
    assert "a beginning needs at least 2 letters" in remark


def test_a_hit_says_that_it_was_checked_or_why_it_is_doubtful(serve: Serve, kept: Kept) -> None:
    site = serve(kept.path)
    doubted = "listen before quoting: the words are uncertain"
    for asked in ("doubt", '"calm I doubt"'):
        assert doubted in text_of(site.ask(f"/-/search?q={asked}"))
        (hit,) = site.ask(f"/-/search.json?q={asked}").json()["hits"]
        assert (hit["flags"], hit["checked"]) == (["low_confidence"], False)
    with writer(kept.path) as db:
        check(db, kept.spoken, (3, 3), None, BY, seen=place(db.conn, kept.spoken, 3, 3).seal)
    page = text_of(site.ask("/-/search?q=doubt"))
    assert "checked by a person" in page
    assert doubted not in page
    (across,) = site.ask('/-/search.json?q="calm I doubt"').json()["hits"]
    assert not across["checked"]  # only part of it
    with writer(kept.path) as db:
        check(db, kept.spoken, (2, 2), None, BY, seen=place(db.conn, kept.spoken, 2, 2).seal)
    (across,) = site.ask('/-/search.json?q="calm I doubt"').json()["hits"]
    assert across["checked"]


def test_where_somebody_else_goes_on_everybody_has_a_line(site: Site) -> None:
    asked = '"calm I doubt"'
    shown = text_of(site.ask(f"/-/search?q={asked}"))
    assert f"Guest {EVIL} relationships, and it always was. The front door is {EVIL} calm. Host I doubt that." in shown
    (hit,) = site.ask(f"/-/search.json?q={asked}").json()["hits"]
    assert [turn["speaker"] for turn in hit["turns"]] == [f"Guest {EVIL}", "Host"]
    atom = html.unescape(site.ask(f"/-/atom?q={asked}").text)
    assert f"<title>Guest {EVIL}, then Host, One {EVIL}, 0:07</title>" in atom
    assert "<p><b>Host</b>: <b>I doubt</b> that.</p></blockquote>" in atom


def test_a_recording_that_is_not_here_has_no_button_to_play_it(serve: Serve, kept: Kept) -> None:
    shutil.rmtree(kept.path.parent / "audio")
    page = serve(kept.path).ask("/-/search?q=door").text
    assert page.count('class="hit"') == page.count("data-quote") == 1
    assert 'button class="play' not in page
    assert 'class="player"' not in page


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
        ("from=yesterday", "“yesterday” is not a date"),
        ("to=2026-02-30", "“2026-02-30” is not a date"),
        ("from=2026-02-01&to=2026-01-31", "“Published from”, 2026-02-01, is after “to”, 2026-01-31"),
        ("role=guest", "“guest” is not one of"),
        ("q=door&feed=none", "There is no show “none”"),
        ("question=first", "“first” is not the number of a question"),
        ("question=0", "“0” is not the number of a question"),
        ("order=random", "“random” is not one of"),
        ("q=" + "x" * 1001, "longer than 1,000 characters"),
    ],
)
def test_a_filter_that_makes_no_sense_is_said_not_ignored(site: Site, query: str, said: str) -> None:
    page, data = site.ask(f"/-/search?{query}"), site.ask(f"/-/search.json?{query}")
    assert page.status_code == data.status_code == 400
    assert said in text_of(page)
    assert said in data.json()["error"]
    assert site.ask(f"/-/atom?{query}").status_code == 400  # a reader would wait forever


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("speaker:gest", "Nobody is called “gest” in this archive."),
        ("feed:shwo nowhere", "There is no show “shwo” in this archive; did you mean “show”?"),
        ("feed:nowhere", "There is no show “nowhere” in this archive; there are other, show."),
        ("question:0", "No list of questions in this archive has a question 0."),
    ],
)
def test_a_name_that_is_mistyped_does_not_look_as_if_nobody_said_it(site: Site, typed: str, said: str) -> None:
    page = site.ask("/-/search?" + urlencode({"q": typed}))
    assert page.status_code == 200
    assert said in text_of(page)
    assert "Try fewer words" not in page.text
    assert site.ask("/-/search.json?" + urlencode({"q": typed})).json()["remarks"] == [said]


def test_what_was_likely_meant_by_a_mistyped_name_is_a_link(site: Site) -> None:
    page, data = site.ask("/-/search?q=door+feed:shwo"), site.ask("/-/search.json?q=door+feed:shwo").json()
    assert "There is no show “shwo” in this archive. Did you mean door feed:show ?" in text_of(page)
    assert 'href="/-/search?q=door+feed%3Ashow">' in page.text
    assert data["spelling"] == "door feed:show"
    assert site.ask("/-/search.json?q=" + data["spelling"].replace(" ", "+")).json()["total"] == 1


def test_who_is_named_in_passages_alone_is_somebody(site: Site) -> None:
    found = site.ask("/-/search.json?q=zebra&speaker=Host").json()
    assert (found["total"], found["remarks"]) == (0, [])


def test_filters_alone_list_all_that_they_let_through(site: Site) -> None:
    page, data = site.ask("/-/search?role=question"), site.ask("/-/search.json?role=question&facets=1").json()
    assert page.text.count("<blockquote>") == data["total"] == data["facets"]["counted"] == 2
    assert "Ways to search" not in page.text
    assert "Nothing found with these filters." in text_of(site.ask("/-/search?speaker=Nobody"))
    assert "Ways to search" in site.ask("/-/search").text


def test_leaving_out_alone_finds_nothing_and_it_is_said_what_is_missing(site: Site) -> None:
    assert "There is nothing to leave these words out of" in text_of(site.ask("/-/search?q=-door"))
    narrowed = site.ask("/-/search.json?q=-door&role=question&facets=1").json()
    assert [hit["text"] for hit in narrowed["hits"]] == ["Good social work is about"]
    assert narrowed["total"] == narrowed["facets"]["counted"] == 1


@pytest.mark.parametrize(
    ("asked", "feed"),
    [
        ("q=is", '<link rel="alternate" type="application/atom+xml" title="is" href="/-/atom?q=is">'),
        ("role=question", 'title="This search" href="/-/atom?role=question">'),
        ("role=guest", None),
        ("", None),
    ],
)
def test_a_search_names_its_feed_to_feed_readers(site: Site, asked: str, feed: str | None) -> None:
    head = site.ask(f"/-/search?{asked}").text.partition("</head>")[0]
    assert head.count("application/atom+xml") == (feed is not None)
    assert (feed or "") in head


def test_what_is_understood_otherwise_than_it_may_be_meant_is_said(site: Site) -> None:
    said = text_of(site.ask("/-/search?q=is+-speaker:host"))
    assert "“-speaker:host” leaves out passages with these words: a speaker cannot be left out." in said
    assert "2 passages" in said
    many = "+".join(["is"] * 61)
    assert "Only the first 60 of 61 words and quotations are searched for." in text_of(site.ask(f"/-/search?q={many}"))
    assert "cannot be left out" not in text_of(site.ask("/-/search?q=is+-door"))


def test_what_was_nearly_said_another_spelling_and_a_looser_search_are_offered(site: Site, kept: Kept) -> None:
    page = site.ask('/-/search?q="work is about relationship"')
    assert "<del>relationship</del> <ins>relationships</ins>" in page.text
    assert f'href="/-/episode/{kept.spoken}?t=1.0"' in page.text
    data = site.ask('/-/search.json?q="work is about relationship"').json()
    assert [(one["differing"], one["text"]) for one in data["nearly"]] == [
        (1, "Good social work is about relationships, and it always was.")
    ]
    assert "Did you mean relationships ?" in text_of(site.ask("/-/search?q=relationshups"))
    assert "Less strict: door OR zebra" in text_of(site.ask("/-/search?q=door+zebra"))


def test_what_to_offer_takes_little_time_or_is_left_out(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(searching, "INSTEAD_SECONDS", -1.0)
    monkeypatch.setattr(access, "_INSTRUCTIONS_BETWEEN_CHECKS", 1)
    address = "q=" + "%20".join(["relationshups", "good", "work"])
    page, data = site.ask(f"/-/search?{address}"), site.ask(f"/-/search.json?{address}").json()
    assert page.status_code == 200
    assert "Nothing found for relationshups good work" in text_of(page)
    assert (data["hits"], data["nearly"], data["spelling"], data["looser"]) == ([], [], None, None)


def test_the_json_has_the_same_keys_with_and_without_hits_as_on_the_command_line(site: Site, kept: Kept) -> None:
    for typed in ("door", "zebra"):
        printed = CliRunner().invoke(main, ["search", typed, "--json", "--db", str(kept.path)])
        assert site.ask(f"/-/search.json?q={typed}").json().keys() == json.loads(printed.stdout).keys()


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
    beyond = site.ask("/-/search?q=word&page=9").text
    assert "not that many pages" in beyond
    assert 'rel="prev"' not in beyond
    second = site.ask("/-/search.json?q=word&page=2").json()
    third = site.ask(f"/-/search.json?q=word&page={second['next']}").json()
    assert (len(second["hits"]), len(third["hits"]), third["next"]) == (20, 5, None)


def test_a_search_that_takes_too_long_is_stopped(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access, "READ_SECONDS", 0.05)
    site = serve()
    archive = site.run(access.find_archive(site.datasette))
    endless = "with recursive n(i) as (select 1 union all select i + 1 from n) select count(*) from n"
    with pytest.raises(QueryError, match="longer than"):
        site.run(archive.read(lambda connection: connection.execute(endless).fetchone()))
    assert site.run(archive.read(lambda connection: connection.execute("select 1").fetchone()[0])) == 1
