"""Parsing feeds into episodes. To test a feed that was read wrongly, add it to tests/data/feeds."""

from __future__ import annotations

import json
import sqlite3
import time
from contextlib import closing
from dataclasses import astuple
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import NotAFeedError
from pipeline.feeds.dates import read_date
from pipeline.feeds.fetch import FeedBody
from pipeline.feeds.parse import duration_seconds, parse_feed
from pipeline.feeds.podcast_namespace import PodcastItem, podcast_items
from pipeline.model import ParsedFeed
from pipeline.sample import DATA as SAMPLE

FOLDER = Path(__file__).parents[1] / "data/feeds"
FEEDS = sorted(FOLDER.glob("*.xml"))
BASE = "https://example.org/shows/feed.xml"


@pytest.mark.parametrize("path", FEEDS, ids=lambda path: path.stem)
def test_feeds_are_read_as_written_down(path: Path) -> None:
    expected = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    body = FeedBody(path.read_bytes(), expected.get("content_type", "application/rss+xml"), BASE)
    if "error" in expected:
        with pytest.raises(NotAFeedError, match=expected["error"]) as caught:
            parse_feed(body)
        assert BASE in str(caught.value)
        return
    feed = parse_feed(body)
    for name in expected.keys() & {"title", "podcast_guid", "new_feed_url", "next_url"}:
        assert getattr(feed, name) == expected[name]
    assert len(feed.warnings) == len(expected["warnings"]), feed.warnings
    for words in expected["warnings"]:
        assert any(words in warning for warning in feed.warnings), feed.warnings
    found = [
        {name: getattr(episode, name) for name in wanted}
        | ({"questions": len(episode.questions)} if "questions" in wanted else {})
        | ({"transcripts": [list(astuple(link)) for link in episode.transcripts]} if "transcripts" in wanted else {})
        | ({"people": [[one.name, one.role] for one in episode.people]} if "people" in wanted else {})
        for episode, wanted in zip(feed.episodes, expected["episodes"], strict=True)
    ]
    assert found == expected["episodes"]


def test_every_golden_feed_has_its_expectation() -> None:
    assert {path.stem for path in FOLDER.glob("*.json")} == {path.stem for path in FEEDS}


def test_the_bundled_sample_feed() -> None:
    body = FeedBody((SAMPLE / "feed.xml").read_bytes(), "application/rss+xml", "http://127.0.0.1:1/feed.xml")
    feed = parse_feed(body)
    assert feed.warnings == ()
    assert [len(episode.questions) for episode in feed.episodes] == [9, 7]
    assert [episode.enclosure_url for episode in feed.episodes] == [
        "http://127.0.0.1:1/episode-1.mp3",
        "http://127.0.0.1:1/episode-2.mp3",
    ]


def test_identities_stay_when_the_feed_moves() -> None:
    content = (FOLDER / "guid_as_it_is.xml").read_bytes()
    here, there = (
        parse_feed(FeedBody(content, "text/xml", base)) for base in (BASE, "https://other.example/f?token=1")
    )
    assert [episode.guid for episode in here.episodes] == [episode.guid for episode in there.episodes]


def test_dates_are_the_same_wherever_the_program_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    body = FeedBody((FOLDER / "dates.xml").read_bytes(), "application/rss+xml", BASE)
    here = [episode.published for episode in parse_feed(body).episodes]
    for zone in ("Europe/London", "America/New_York", "Asia/Kolkata"):
        with monkeypatch.context() as elsewhere:
            elsewhere.setenv("TZ", zone)
            time.tzset()
            assert [episode.published for episode in parse_feed(body).episodes] == here
    time.tzset()


def test_a_body_that_is_a_files_name_is_not_that_file(tmp_path: Path) -> None:
    feed = tmp_path / "feed.xml"
    feed.write_bytes((FOLDER / "rss.xml").read_bytes())
    with pytest.raises(NotAFeedError):
        parse_feed(FeedBody(str(feed).encode(), "application/rss+xml", BASE))


@pytest.mark.parametrize(
    "content_type", ["", "\x00", "text/xml; charset=nonsense", "application/xml; charset=utf-16", "é"]
)
def test_a_hostile_content_type_changes_nothing(content_type: str) -> None:
    feed = parse_feed(FeedBody((FOLDER / "rss.xml").read_bytes(), content_type, BASE))
    assert [episode.guid for episode in feed.episodes] == ["show-2", "show-1"]


def read_or_refused(content: bytes) -> ParsedFeed | None:
    try:
        return parse_feed(FeedBody(content, "application/rss+xml", BASE))
    except NotAFeedError:
        return None


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    read_or_refused(content)


@given(
    path=st.sampled_from(FEEDS),
    changes=st.lists(
        st.tuples(
            st.integers(0, 4000),
            st.integers(0, 60),
            st.one_of(
                st.binary(max_size=6),
                st.sampled_from(
                    [
                        b"<", b"< ", b"&", b"]]>", b"<![foo[", b"<!DOCTYPE x [", b"\x0b", b"&#11;", b"&#xD800;",
                        b"http://[", b"<item>", b"\xff\xfe",
                    ]
                ),
            ),
        ),
        min_size=1,
        max_size=4,
    ),
)  # fmt: skip
def test_a_damaged_feed_is_read_or_refused(path: Path, changes: list[tuple[int, int, bytes]]) -> None:
    content = path.read_bytes()
    for place, length, new in changes:
        content = content[:place] + new + content[place + length :]
    feed = read_or_refused(content)
    if feed:
        for episode in feed.episodes:
            assert episode.guid
            "".join(str(value) for value in (episode.title, episode.notes_html, episode.notes_text)).encode()


def test_a_local_feed_may_name_transcripts_in_its_folder() -> None:
    content = (FOLDER / "transcripts.xml").read_bytes()
    feed = parse_feed(FeedBody(content, "application/rss+xml", "file:///srv/shows/feed.xml"))
    assert [link.url for link in feed.episodes[0].transcripts][:2] == [
        "https://media.example.org/one.vtt",
        "file:///srv/shows/one.json",
    ]


@pytest.mark.parametrize("encoding", ["utf-16", "iso-8859-1", "windows-1252", "shift_jis"])
def test_transcripts_are_found_in_any_encoding(encoding: str) -> None:
    content = f"""<?xml version="1.0" encoding="{encoding}"?>
        <rss version="2.0" xmlns:podcast="https://podcastindex.org/namespace/1.0"><channel>
        <item><title>T</title><guid>1</guid><podcast:transcript url="1.vtt" type="text/vtt"/></item>
        </channel></rss>"""
    feed = parse_feed(FeedBody(content.encode(encoding), "application/rss+xml", BASE))
    assert [link.url for link in feed.episodes[0].transcripts] == ["https://example.org/shows/1.vtt"]


def test_where_the_items_differ_in_number_transcripts_go_by_guid() -> None:
    content = (FOLDER / "transcripts.xml").read_bytes()
    found = podcast_items(content, ["two", "nobody", "one", ""], base=BASE)
    assert [len(item.transcripts) for item in found] == [1, 0, 4, 0]
    assert podcast_items(content, ["two", "two"], base=BASE) == [PodcastItem(), PodcastItem()]


def test_entities_are_not_expanded_for_transcripts() -> None:
    content = b"""<!DOCTYPE rss [<!ENTITY a "https://evil.example/">]><rss version="2.0"
        xmlns:podcast="https://podcastindex.org/namespace/1.0"><channel><item><guid>1</guid>
        <podcast:transcript url="&a;1.vtt"/></item></channel></rss>"""
    assert podcast_items(content, ["1"], base=BASE) == [PodcastItem()]


@given(st.binary(max_size=300), st.lists(st.text(max_size=3), max_size=3))
def test_any_bytes_have_transcripts_or_none(content: bytes, guids: list[str]) -> None:
    assert len(podcast_items(content, guids, base=BASE)) == len(guids)


WORDS = st.text(alphabet=st.characters(exclude_categories=["Cs", "Cc"]), max_size=40)


@given(guid=WORDS, url=WORDS, link=WORDS, title=WORDS, notes=WORDS, date=WORDS, duration=WORDS)
def test_whatever_an_item_says_the_feed_is_read(**said: str) -> None:
    def text(name: str) -> str:
        escaped = said[name].replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")
        return "".join(character for character in escaped if ord(character) not in {0xFFFE, 0xFFFF})

    content = f"""<?xml version="1.0" encoding="utf-8"?>
        <rss version="2.0" xmlns:itunes="http://www.itunes.com/dtds/podcast-1.0.dtd"><channel><item>
        <guid>{text("guid")}</guid><enclosure url="{text("url")}" type="audio/mpeg"/><link>{text("link")}</link>
        <title>{text("title")}</title><description>{text("notes")}</description><pubDate>{text("date")}</pubDate>
        <itunes:duration>{text("duration")}</itunes:duration></item></channel></rss>"""
    feed = parse_feed(FeedBody(content.encode(), "application/rss+xml", BASE))
    assert len(feed.episodes) == 1


@given(st.text(alphabet="0123456789:. ", max_size=12))
def test_a_declared_duration_is_seconds_or_nothing(declared: str) -> None:
    seconds = duration_seconds(declared)
    assert seconds is None or 0 <= seconds < 1e12


@given(st.text(alphabet="0123456789:./-+, TZaprMm", max_size=24))
def test_a_date_is_a_moment_or_nothing(said: str) -> None:
    found = read_date(said)
    assert found is None or datetime.fromisoformat(found).tzinfo is not None


@given(st.datetimes(min_value=datetime(1990, 1, 1), max_value=datetime(2089, 12, 31)))  # noqa: DTZ001 - hypothesis wants them so
def test_a_moment_is_the_same_in_every_form(naive: datetime) -> None:
    at = naive.replace(microsecond=0, tzinfo=UTC)
    forms = [
        f"{at:%a, %d %b %Y %H:%M:%S GMT}", f"{at:%a,%d %b %y %H:%M:%S +0000}", f"{at:%B %d, %Y %I:%M:%S %p}",
        f"{at:%Y-%m-%dT%H:%M:%SZ}", f"{at:%Y/%m/%d %H:%M:%S}", f"{at + timedelta(hours=1):%d-%b-%Y %H:%M:%S CET}",
        f"{at.timestamp():.0f}",
    ]  # fmt: skip
    found = [read_date(form) for form in forms]
    assert {datetime.fromisoformat(one or "") for one in found} == {at}
    local = f"{at + timedelta(hours=1):%Y-%m-%dT%H:%M:%S}+01:00"
    assert [one for one in found if not (one or "").endswith("Z")] == [local]


@given(st.integers(-23, 23), st.integers(0, 59))
def test_every_moment_with_an_offset_can_be_told_by_the_database(hours: int, minutes: int) -> None:
    found = read_date(f"Tue, 05 May 2026 23:30:00 {hours:+03}{minutes:02}")
    assert found
    at = datetime.fromisoformat(found).astimezone(UTC)
    assert at == datetime.strptime(f"2026-05-05 23:30:00 {hours:+03}{minutes:02}", "%Y-%m-%d %H:%M:%S %z")
    with closing(sqlite3.connect(":memory:")) as database:
        assert database.execute("select datetime(?)", [found]).fetchone() == (f"{at:%Y-%m-%d %H:%M:%S}",)
