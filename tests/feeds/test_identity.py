"""Matching items of a feed with episodes: guids trusted, changed, missing and shared; nothing lost or merged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlite_utils import Database

from pipeline.archive.episodes import Saved, known_episodes, save_episodes
from pipeline.archive.feeds import ensure_feed
from pipeline.archive.schema import migrations
from pipeline.feeds.identity import Known, match, place_of
from pipeline.model import FeedEpisode

MONDAY, TUESDAY = "2026-03-02T06:00:00Z", "2026-03-03T06:00:00Z"
URL = "https://media.example.org/audio/5f1c/default_tc.mp3"


def item(guid: str, title: str = "Bonus", **more: object) -> FeedEpisode:
    """An item; its date and audio are unique unless given."""
    values: dict[str, object] = {
        "published": MONDAY,
        "link": None,
        "enclosure_url": f"https://media.example.org/{guid}.mp3",
        "enclosure_type": "audio/mpeg",
        "declared_duration": None,
        "notes_html": "",
        "notes_text": "",
    }
    return FeedEpisode(guid=guid, title=title, **{**values, **more})  # type: ignore[arg-type]


def known(one: FeedEpisode, *guids: str) -> Known:
    """The archived episode of an item; its id is its guid."""
    had = frozenset([one.guid, *guids])
    return Known(one.guid, had, one.title, one.published, one.enclosure_url, one.declared_duration)


A_TALK = item("old", "A talk", enclosure_url=URL, declared_duration=1423.0)


@pytest.mark.parametrize(
    "changed",
    [
        {"title": "A talk, mended"},
        {"enclosure_url": "https://elsewhere.example/1.mp3?token=2"},
        {"published": "2030-01-01T00:00:00Z"},
        {"title": "A talk, mended", "enclosure_url": "https://elsewhere.example/1.mp3"},
        {"title": "A talk, mended", "published": "2030-01-01T00:00:00Z"},
        {"title": "Another name", "published": "2030-01-01T00:00:00Z", "enclosure_url": "https://elsewhere.example/1"},
    ],
)
def test_the_same_guid_is_the_same_episode_whatever_else_changes_as_long_as_something_stays(
    changed: dict[str, Any],
) -> None:
    assert match([known(A_TALK)], [replace(A_TALK, **changed)]).episodes == ("old",)


def test_a_guid_that_comes_with_quite_another_episode_is_that_other_one() -> None:
    reused = item("old", "Another talk", published="2027-01-04T06:00:00Z", declared_duration=900.0)
    found = match([known(A_TALK)], [reused])
    assert found.episodes == (None,)
    assert found.doubts == (0,)


@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"enclosure_url": URL.replace("https:", "http:") + "?token=2"},
        {"enclosure_url": "https://count.example/track/ABC/media.example.org/audio/5f1c/default_tc.mp3"},
        {"title": "a  TALK"},
        {"title": "A talk, mended"},
        {"published": None},
        {"published": "2026-03-02T07:00:00Z"},
        {"published": "2027-03-02T06:00:00Z"},
        {"enclosure_url": "https://elsewhere.example/1.mp3"},
        {"enclosure_url": "https://elsewhere.example/1.mp3", "title": "Mended"},
        {"declared_duration": None},
        {"declared_duration": None, "published": None, "enclosure_url": URL + "?token=2"},
    ],
)
@pytest.mark.parametrize("made", [False, True])
def test_a_changed_or_missing_guid_is_recognised(changed: dict[str, Any], made: bool) -> None:
    new = replace(A_TALK, guid="made:x" if made else "new", guid_made=made, **changed)
    assert match([known(A_TALK)], [new]).episodes == ("old",)


@pytest.mark.parametrize(("before", "after"), [(1800.0, 1801.0), (1800.0, 1815.0), (1423.0, 1422.0), (3600.0, 3700.0)])
def test_a_feed_that_moves_to_another_host_is_the_same_though_that_rounds_lengths(before: float, after: float) -> None:
    old = replace(A_TALK, declared_duration=before)
    moved = replace(A_TALK, guid="new", enclosure_url="https://elsewhere.example/77.mp3", declared_duration=after)
    assert match([known(old)], [moved]).episodes == ("old",)
    other = replace(moved, declared_duration=before * 1.5)
    assert match([known(old)], [other]).episodes == (None,)


BONUS = item("old", enclosure_url=URL, declared_duration=300.0)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        # The same title, and a common file name.
        (BONUS, item("new", enclosure_url=URL.replace("5f1c", "77aa"), published=TUESDAY)),
        (BONUS, item("new", enclosure_url=URL.replace("5f1c", "77aa"), published=MONDAY, declared_duration=200.0)),
        # The same URL every day.
        (BONUS, replace(BONUS, guid="new", published=TUESDAY)),
        (replace(BONUS, guid="made:x"), replace(BONUS, guid="made:x", guid_made=True, published=TUESDAY)),
        # The number is in the query, and nothing shows that it is the same one.
        (
            item("old", enclosure_url="https://example.org/play.php?id=4", published=None),
            item("new", enclosure_url="https://example.org/play.php?id=5", published=None),
        ),
        # A date without a time, and a duration in whole minutes.
        (
            item("old", "One", published="2026-03-02T00:00:00Z", declared_duration=1423.0),
            item("new", "Two", published="2026-03-02T00:00:00Z", declared_duration=1423.0),
        ),
        (item("old", "One", declared_duration=1800.0), item("new", "Two", declared_duration=1800.0)),
        (item("old", "Bonus", published="2026-03-02T00:00:00Z"), item("new", published="2026-03-02T00:00:00Z")),
        # Only one property in common.
        (item("old", "One", published=MONDAY), item("new", "Two", published=MONDAY)),
        (item("old", "Bonus", published=None), item("new", "Bonus", published=None)),
    ],
)
def test_what_only_looks_alike_is_a_new_episode(before: FeedEpisode, after: FeedEpisode) -> None:
    assert match([known(before)], [after]).episodes == (None,)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (MONDAY, "2026-03-02T07:00:07Z"),  # by a time zone, or a time invented by the new host
        ("2026-03-02T00:00:00Z", "2026-03-02T00:00:00Z"),
        (MONDAY, "2026-03-02T00:00:00Z"),
        (MONDAY, None),
        (None, None),
    ],
)
def test_a_feed_that_moves_to_another_host_is_the_same_though_its_dates_are_not(
    before: str | None, after: str | None
) -> None:
    ours = known(replace(A_TALK, published=before))
    theirs = item("new", "A talk", published=after, declared_duration=1423.0, enclosure_url="https://new.example/1.mp3")
    assert match([ours], [theirs]).episodes == ("old",)


def test_the_next_edition_of_the_news_is_another_one_though_it_is_as_long() -> None:
    hourly = item("six", "The news", declared_duration=299.0)
    later = item("seven", "The news", declared_duration=299.0, published="2026-03-02T07:00:00Z")
    assert match([known(hourly)], [later]).episodes == (None,)


def test_nothing_is_recognised_by_what_two_have_in_common() -> None:
    one, two = (item(guid, enclosure_url=URL) for guid in ("one", "two"))
    assert match([known(one), known(two)], [replace(one, guid="new")]).episodes == (None,)
    found = match([known(one)], [replace(one, guid="new"), replace(one, guid="newer")])
    assert (found.episodes, found.doubts) == ((None, None), (0, 1))


def test_items_that_share_a_guid_are_told_apart_by_the_rest() -> None:
    first, second = (
        item("same", f"Part {n}", enclosure_url=f"https://x.example/{n}.mp3", published=date)
        for n, date in ((1, MONDAY), (2, TUESDAY))
    )
    ours = [replace(known(first), id="first"), replace(known(second), id="second")]
    assert match(ours, [second, first]).episodes == ("second", "first")
    assert match(ours, [second]).episodes == ("second",)
    moved = [replace(one, enclosure_url=f"https://y.example/{one.title}") for one in (first, second)]
    assert match(ours, moved).episodes == ("first", "second")


def test_every_guid_that_an_episode_had_still_leads_to_it() -> None:
    ours = [replace(known(A_TALK, "older", "oldest"), enclosure_url=None)]
    assert match(ours, [replace(A_TALK, guid="oldest", enclosure_url="https://new.example/x")]).episodes == ("old",)


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("https://Media.Example.org/a%20b.mp3?token=1#t", "media.example.org/a b.mp3"),
        ("http://media.example.org:80/1.mp3", "media.example.org/1.mp3"),
        ("https://count.example/redirect.mp3/media.example.org/x/1.mp3", "media.example.org/x/1.mp3"),
        ("https://a.example/b/pdst.fm/e/traffic.example.fm/1.mp3", "traffic.example.fm/1.mp3"),
        ("https://media.example.org/v1.2/episode.one.mp3", "media.example.org/v1.2/episode.one.mp3"),
        ("http://[nonsense", "http://[nonsense"),
    ],
)
def test_an_address_without_what_changes(url: str, place: str) -> None:
    assert place_of(url) == place


# Arbitrary feeds: few values, so that many are equal.

TITLES = st.sampled_from(["Bonus", "One", "Two"])
MOMENTS = st.sampled_from([None, MONDAY, TUESDAY, "2026-03-02T00:00:00Z", "2026-03-09T06:00:00Z"])
URLS = st.sampled_from([None, URL, URL + "?token=1", "https://x.example/1.mp3", "https://x.example/play?id=2"])
LENGTHS = st.sampled_from([None, 300.0, 301.0, 1423.0])
ITEMS = st.builds(
    lambda guid, title, published, url, length: item(
        guid, title, published=published, enclosure_url=url, declared_duration=length
    ),
    st.sampled_from(["g1", "g2", "g3", "g4"]),
    TITLES,
    MOMENTS,
    URLS,
    LENGTHS,
)


def distinct(items: Sequence[FeedEpisode]) -> list[FeedEpisode]:
    """As parsed: never the same guid with the same audio twice."""
    return list({(one.guid, one.enclosure_url or one.title): one for one in items}.values())


FEEDS = st.lists(ITEMS, max_size=6).map(distinct)


def archived(feed: Sequence[FeedEpisode]) -> list[Known]:
    return [replace(known(one), id=f"id{number}") for number, one in enumerate(feed)]


@given(FEEDS, FEEDS)
def test_no_episode_is_two_items(before: list[FeedEpisode], after: list[FeedEpisode]) -> None:
    found = [id_ for id_ in match(archived(before), after).episodes if id_ is not None]
    assert len(found) == len(set(found))


@given(FEEDS)
def test_an_unchanged_feed_is_all_known(feed: list[FeedEpisode]) -> None:
    ours = archived(feed)
    assert match(ours, feed).episodes == tuple(one.id for one in ours)


@given(FEEDS, FEEDS, st.randoms())
def test_order_changes_nothing(before: list[FeedEpisode], after: list[FeedEpisode], random: object) -> None:
    ours = archived(before)
    found = dict(zip(map(str, after), match(ours, after).episodes, strict=True))
    for order in (ours, after):
        random.shuffle(order)  # type: ignore[attr-defined]
    assert dict(zip(map(str, after), match(ours, after).episodes, strict=True)) == found


@given(st.lists(st.tuples(TITLES, MOMENTS), max_size=8, unique=True))
def test_when_all_guids_change_every_episode_is_found(said: list[tuple[str, str | None]]) -> None:
    feed = [
        item(f"old-{n}", title, published=moment, enclosure_url=f"https://x.example/{n}.mp3")
        for n, (title, moment) in enumerate(said)
    ]
    ours = [known(one) for one in feed]
    changed = [replace(one, guid=one.guid.replace("old", "new")) for one in reversed(feed)]
    assert match(ours, changed).episodes == tuple(one.guid for one in reversed(feed))
    made = [replace(one, guid="made:x.example", guid_made=True) for one in feed]
    assert match(ours, made).episodes == tuple(one.guid for one in feed)


def save(db: Database, feed: Sequence[FeedEpisode]) -> Saved:
    with db.conn:
        return save_episodes(db, "show", feed, now=MONDAY)


@given(st.lists(FEEDS, min_size=1, max_size=4))
def test_whatever_a_feed_lists_no_episode_is_lost_and_a_second_poll_changes_nothing(
    polls: list[list[FeedEpisode]],
) -> None:
    db = Database(memory=True)
    migrations.apply(db)
    ensure_feed(db, "show", title="Show", url="x")
    ids: set[str] = set()
    for feed in polls:
        saved = save(db, feed)
        assert saved.new + saved.known == len(feed)
        now = {one.id for one in known_episodes(db, "show")}
        assert ids <= now
        assert len(now) == len(ids) + saved.new
        ids = now
        before = db.execute("select * from episodes order by id").fetchall()
        again = save(db, feed)
        assert (again.new, again.changed, again.recognised) == (0, 0, ())
        assert db.execute("select * from episodes order by id").fetchall() == before
    db.close()
