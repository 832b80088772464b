"""Storing what a poll found: ids stay, nothing is taken over or lost."""

from __future__ import annotations

from dataclasses import replace

from sqlite_utils import Database

from pipeline.archive.feeds import save_poll
from tests.building import NOW, add_feed, episode


def urls(db: Database) -> dict[str, str]:
    return dict(db.execute("select id, enclosure_url from episodes").fetchall())


def test_an_episode_keeps_its_id_and_first_sighting(archive: Database) -> None:
    (first,) = add_feed(archive, "show", episode("one", title="Before"))
    (again,) = add_feed(archive, "show", episode("one", title="After"))
    assert first == again
    assert archive.execute("select title, first_seen = last_seen from episodes").fetchall() == [("After", 1)]


def test_the_same_guid_in_two_feeds_is_two_episodes(archive: Database) -> None:
    (one,) = add_feed(archive, "show", episode("one"))
    (other,) = add_feed(archive, "other", episode("one"))
    assert one.split("/")[1] == other.split("/")[1]
    assert len(urls(archive)) == 2


def test_two_guids_of_one_hash_get_ids_of_their_own(archive: Database) -> None:
    (taken,) = add_feed(archive, "show", episode("one"))
    archive.execute("update episodes set guid = 'a guid that has the same hash' where id = ?", [taken])
    (other,) = add_feed(archive, "show", episode("one"))
    assert other != taken
    assert len(urls(archive)) == 2


def test_a_dropped_oldest_item_does_not_lose_its_row_to_the_one_that_shares_its_guid(archive: Database) -> None:
    oldest = replace(episode("shared"), enclosure_url="https://example.org/oldest.mp3")
    younger = replace(episode("shared#12345678"), enclosure_url="https://example.org/younger.mp3")
    add_feed(archive, "show", oldest, younger)
    before = urls(archive)
    alone = replace(younger, guid="shared")
    save_poll(
        archive, "show", [alone], now=NOW, feed_url="https://example.org/feed.xml", etag=None, last_modified=None,
        parser_version=1,
    )  # fmt: skip
    assert urls(archive) == before


def test_a_shortened_question_list_leaves_no_question_behind(archive: Database) -> None:
    add_feed(archive, "show", episode("one", questions=["One?", "Two?", "Three?"]))
    add_feed(archive, "show", episode("one", questions=["One, really?", "Two?"]))
    assert archive.execute("select number, text from questions order by number").fetchall() == [
        (1, "One, really?"),
        (2, "Two?"),
    ]
