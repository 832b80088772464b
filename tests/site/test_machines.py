"""What the site offers to programs: Atom feeds, parsed by a feed reader, the sitemap, robots.txt."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from urllib.robotparser import RobotFileParser
from xml.etree import ElementTree

import feedparser
import pytest

from pipeline.archive.database import writer
from pipeline.export import sitemap
from tests.support.archive_fixture import EVIL, Serve, Site, kept, serve
from tests.support.building import NOW
from tests.support.pages_fixture import GUEST, Held, held

__all__ = ["held", "kept", "serve"]  # fixtures

ENDLESS = ["/-/search?q=x", "/-/audio/x", "/held/segments", "/held?sql=x", "/-/atom?q=x"]
SITEMAP = {"s": "http://www.sitemaps.org/schemas/sitemap/0.9"}


def configured(robots: str) -> dict[str, Any]:
    return {"plugins": {"interview-archive": {"robots": robots}}}


def read(site: Site, address: str) -> Any:
    """The feed as a feed reader parses it."""
    response = site.ask(address)
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/atom+xml; charset=utf-8"
    found = feedparser.parse(response.content)
    assert not found.bozo
    return found


def addresses(response: Any) -> list[str]:
    return [one.text or "" for one in ElementTree.fromstring(response.content).iterfind(".//s:loc", SITEMAP)]  # noqa: S314


def test_the_newest_episodes_can_be_followed(serve: Serve, held: Held) -> None:
    found = read(serve(held.path), "/-/atom")
    assert [entry.title for entry in found.entries] == [f"New {EVIL}", "Old", "Elsewhere", "Waiting"]
    first, last = found.entries[0], found.entries[-1]
    assert first.link == f"http://localhost/-/episode/{held.episodes[0]}"
    assert (first.updated, first.published) == (NOW, "2026-03-01T00:00:00Z")
    assert "How high are caseloads &lt;script&gt;alert(1)&lt;/script&gt;?" in first.content[0].value
    assert last.content[0].value == ""
    assert found.feed.links[0].href == "http://localhost/-/atom"
    assert len({entry.id for entry in found.entries}) == 4


def test_the_episodes_of_one_feed_can_be_followed(serve: Serve, held: Held) -> None:
    site = serve(held.path)
    assert [entry.title for entry in read(site, "/-/atom?feed=other").entries] == ["Elsewhere"]
    assert 'href="/-/atom?feed=other"' in site.ask("/-/feed/other").text
    assert 'type="application/atom+xml" title="Newest episodes" href="/-/atom"' in site.ask("/").text


def test_what_is_said_again_can_be_followed(serve: Serve, held: Held) -> None:
    site = serve(held.path)
    found = read(site, '/-/atom?q="a+good+day"')
    assert [entry.title for entry in found.entries] == [
        f"{GUEST}, New {EVIL}, 0:11",
        "Dora, Old, 0:11",
    ]
    first = found.entries[0]
    assert first.link == f"http://localhost/-/episode/{held.episodes[0]}?t=11.0"
    assert first.content[0].value == "<blockquote>Sixteen, on <b>a good day</b>.</blockquote>"
    assert first.updated == NOW
    assert [one.title for one in read(site, "/-/atom?q=day&speaker=Dora").entries] == ["Dora, Old, 0:10"]
    assert f"?q={'%22a+good+day%22'}" in found.feed.links[1].href
    page = site.ask("/-/search?q=day&speaker=Dora").text
    assert 'type="application/atom+xml" title="day" href="/-/atom?q=day&amp;speaker=Dora"' in page


def test_filters_alone_can_be_followed_too_and_are_never_ignored(serve: Serve, held: Held) -> None:
    site = serve(held.path)
    titles = [one.title for one in read(site, "/-/atom?speaker=Dora").entries]
    assert titles
    assert all(title.startswith("Dora, ") for title in titles)
    assert read(site, "/-/atom?speaker=Nobody").entries == []
    for wrong in ("role=bad", "from=x", "question=0", "feed=other&order=random"):
        assert site.ask(f"/-/atom?{wrong}").status_code == 400


def test_hostile_words_stay_words_in_a_feed(serve: Serve, held: Held) -> None:
    response = serve(held.path).ask("/-/atom?q=script+alert")
    assert "<script" not in response.text
    (*_, last) = feedparser.parse(response.content, sanitize_html=False).entries
    assert "&lt;<b>script</b>&gt;" in last.content[0].value


def test_an_entry_keeps_its_name_where_the_site_moves(serve: Serve, held: Held) -> None:
    here = read(serve(held.path), "/-/atom?q=cases")
    there = read(serve(held.path, settings={"base_url": "/x/", "force_https_urls": True}), "/-/atom?q=cases")
    assert [entry.id for entry in here.entries] == [entry.id for entry in there.entries]
    assert there.entries[0].link.startswith("https://localhost/x/-/episode/")


def test_a_search_that_finds_nothing_is_a_feed_without_entries(serve: Serve, held: Held) -> None:
    site = serve(held.path)
    assert read(site, "/-/atom?q=nowhere").entries == []
    assert site.ask("/-/atom?q=x&from=yesterday").status_code == 400


def test_the_map_has_every_page_once(serve: Serve, held: Held) -> None:
    site = serve(held.path)
    found = addresses(site.ask("/sitemap.xml"))
    assert len(set(found)) == len(found) == 3 + 2 + 4 + 3
    for address in found:
        assert site.ask(address.removeprefix("http://localhost")).status_code == 200
    assert "http://localhost/-/speaker/Ann%2FBee%20%3Cscript%3Ealert%281%29%3C%2Fscript%3E%20%26%20co" in found
    assert f"<lastmod>{NOW}</lastmod>" in site.ask("/sitemap.xml").text
    assert site.ask("/sitemap-2.xml").status_code == 404


def test_a_large_map_has_parts(serve: Serve, held: Held, monkeypatch: pytest.MonkeyPatch) -> None:
    site = serve(held.path)
    whole = addresses(site.ask("/sitemap.xml"))
    monkeypatch.setattr(sitemap, "MOST", 5)
    parts = addresses(site.ask("/sitemap.xml"))
    assert parts == [f"http://localhost/sitemap-{n}.xml" for n in (1, 2, 3)]
    assert [one for part in parts for one in addresses(site.ask(part.removeprefix("http://localhost")))] == whole
    assert site.ask("/sitemap-0.xml").status_code == site.ask("/sitemap-4.xml").status_code == 404


@pytest.mark.parametrize(
    ("robots", "open_to", "closed_to"),
    [
        (None, ["/", "/-/episode/a/b", "/-/feed/show", "/-/questions"], ENDLESS),
        ("all", ["/", "/-/search?q=x", "/held/segments"], []),
        ("none", [], ["/", "/-/episode/a/b"]),
        ("yes please", [], ["/", "/-/episode/a/b"]),
    ],
)
def test_search_engines_visit_what_is_configured(
    serve: Serve, held: Held, robots: str | None, open_to: list[str], closed_to: list[str]
) -> None:
    site = serve(held.path, metadata=configured(robots) if robots else {})
    text = site.ask("/robots.txt").text
    rules = RobotFileParser()
    rules.parse(text.splitlines())
    assert [path for path in open_to if not rules.can_fetch("*", f"http://localhost{path}")] == []
    assert [path for path in closed_to if rules.can_fetch("*", f"http://localhost{path}")] == []
    assert ("Sitemap: http://localhost/sitemap.xml" in text) == (site.ask("/sitemap.xml").status_code == 200)
    assert ("not one of: all, pages, none" in text) == (robots == "yes please")


def test_a_closed_archive_has_no_map_and_tells_robots_to_stay_away(serve: Serve, held: Held) -> None:
    site = serve(held.path, metadata={"allow": {"id": "ann"}})
    assert site.ask("/robots.txt").text == "User-agent: *\nDisallow: /\n"
    assert site.ask("/sitemap.xml").status_code == 403
    assert site.ask("/sitemap.xml", actor="ann").status_code == 404


def test_robots_are_not_told_what_is_private(serve: Serve, held: Held, tmp_path: Path) -> None:
    for name in ("secret-sources", "other"):
        (tmp_path / f"{name}.db").touch()
    site = serve(
        held.path,
        tmp_path / "other.db",
        tmp_path / "secret-sources.db",
        metadata={"databases": {"secret-sources": {"allow": {"id": "ann"}}}},
    )
    for actor in (None, "ann"):  # robots.txt is the same for all
        text = site.ask("/robots.txt", actor=actor).text
        assert "Disallow: /held\nDisallow: /other\n" in text
        assert "secret" not in text


def test_addresses_for_robots_have_the_sites_base(serve: Serve, held: Held) -> None:
    site = serve(held.path, settings={"base_url": "/x/"})
    text = site.ask("/robots.txt").text
    assert "Disallow: /x/-/search\n" in text
    assert "Disallow: /x/held\n" in text
    assert "_internal" not in text
    assert "Sitemap: http://localhost/x/sitemap.xml" in text
    assert all(address.startswith("http://localhost/x/") for address in addresses(site.ask("/sitemap.xml")))


def test_programs_are_told_what_is_here(serve: Serve, held: Held) -> None:
    site = serve(held.path)
    response = site.ask("/llms.txt")
    assert response.text.startswith("# Interview archive\n\n> Interviews")
    assert "2 transcribed episodes" in response.text
    assert "made by machine, or are the publisher's" in response.text
    assert (
        "- [The \\<script\\>alert(1)\\</script\\> show](http://localhost/-/feed/evil): 0 transcribed" in response.text
    )
    for address in re.findall(r"\]\((http://localhost[^)]+)\)", response.text):
        assert site.ask(address.removeprefix("http://localhost")).status_code == 200


def test_a_title_with_line_breaks_stays_one_line_for_programs(serve: Serve, held: Held) -> None:
    with writer(held.path) as db:
        db.execute("update feeds set title = ? where slug = 'evil'", ["One\n\n# Two"])
        db.conn.commit()
    assert "\n# Two" not in serve(held.path).ask("/llms.txt").text


def test_without_an_archive_there_is_nothing_for_programs(serve: Serve, held: Held) -> None:
    site = serve(held.path, metadata={"plugins": {"interview-archive": {"database": "gone"}}})
    for path in ("/robots.txt", "/sitemap.xml", "/llms.txt", "/-/atom"):
        assert site.ask(path).status_code == 404
