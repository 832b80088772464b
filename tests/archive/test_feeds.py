"""Storing the result of a poll: ids are stable, nothing is mistaken for something else or lost."""

from __future__ import annotations

import hashlib
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlite_utils import Database

from pipeline.archive.episodes import episodes, people_of
from pipeline.archive.feeds import save_moves, save_podcast_guid, save_poll
from pipeline.archive.listing import listing
from pipeline.archive.publication import channel
from pipeline.archive.questions.alignments import alignment_key, save_matches
from pipeline.archive.schema import migrations
from pipeline.archive.search import search
from pipeline.feeds.memory import Move
from pipeline.model import Match, Person, Validators
from tests.support.building import NOW, add_feed, add_transcript, episode, spoken


def urls(db: Database) -> dict[str, str]:
    return dict(db.execute("select id, enclosure_url from episodes").fetchall())


def test_an_episode_keeps_its_id_and_first_sighting(archive: Database) -> None:
    (first,) = add_feed(archive, "show", episode("one", title="Before"))
    (again,) = add_feed(archive, "show", episode("one", title="After"))
    assert first == again
    assert archive.execute("select title, first_seen = last_seen from episodes").fetchall() == [("After", 1)]


def test_the_newest_episode_is_the_last_by_the_clock_whatever_offset_its_publisher_states(archive: Database) -> None:
    days = {
        "last": "2026-05-05T23:30:00-07:00",
        "first": "2026-05-06T01:00:00Z",
        "middle": "2026-05-06T08:00:00+05:00",
        "undated": None,
    }
    items = [replace(episode(guid, title=guid), published=day) for guid, day in days.items()]
    for id_ in add_feed(archive, "show", *items):
        add_transcript(archive, id_, spoken("Relationships matter."))
    order = ["last", "middle", "first", "undated"]
    connection = archive.conn
    assert [one.title for one in episodes(archive, "show") if one.published] == order[:3]
    assert [one.title for one in listing(connection, 9).episodes] == order
    after = listing(connection, 2)
    assert [one.title for one in listing(connection, 2, before=after.before).episodes] == order[2:]
    assert [hit.title for hit in search(connection, "relationships", order="newest").hits] == order
    assert [hit.title for hit in search(connection, "relationships", order="oldest").hits] == order[::-1]


def test_the_same_guid_in_two_feeds_is_two_episodes(archive: Database) -> None:
    (one,) = add_feed(archive, "show", episode("one"))
    (other,) = add_feed(archive, "other", episode("one"))
    assert one.split("/")[1] == other.split("/")[1]
    assert len(urls(archive)) == 2


def test_two_guids_of_one_hash_get_ids_of_their_own(archive: Database) -> None:
    (taken,) = add_feed(archive, "show", episode("one"))
    archive.execute("update episodes set guid = 'a guid that has the same hash' where id = ?", [taken])
    archive.execute("update episode_guids set guid = 'a guid that has the same hash' where episode = ?", [taken])
    archive.execute("update episodes set title = 'Another', enclosure_url = 'https://example.org/2.mp3'")
    (other,) = add_feed(archive, "show", episode("one"))
    assert other != taken
    assert len(urls(archive)) == 2


def test_a_dropped_oldest_item_does_not_lose_its_row_to_the_one_that_shares_its_guid(archive: Database) -> None:
    oldest = replace(episode("shared"), enclosure_url="https://example.org/oldest.mp3")
    younger = replace(episode("shared"), enclosure_url="https://example.org/younger.mp3")
    add_feed(archive, "show", oldest, younger)
    before = urls(archive)
    save_poll(
        archive,
        "show",
        [younger],
        now=NOW,
        feed_url="https://example.org/feed.xml",
        validators=Validators(),
        parser_version=1,
    )
    assert urls(archive) == before


def test_a_shortened_question_list_leaves_no_question_behind(archive: Database) -> None:
    add_feed(archive, "show", episode("one", questions=["One?", "Two?", "Three?"]))
    add_feed(archive, "show", episode("one", questions=["One, really?", "Two?"]))
    assert archive.execute("select number, text from questions order by number").fetchall() == [
        (1, "One, really?"),
        (2, "Two?"),
    ]


def times(db: Database) -> list[tuple[Any, ...]]:
    return db.execute("select number, text, status, start, corrected from question_times").fetchall()


def test_an_inserted_question_inherits_nothing_and_takes_nothing(archive: Database) -> None:
    (one,) = add_feed(archive, "show", episode("one", questions=["Alpha?", "Beta?"]))
    transcript = add_transcript(archive, one, spoken("Alpha? Beta?"))
    found = [Match(1, "asked", 0.0, 0.4, 0.5, 0.9), Match(2, "asked", 0.5, 0.9, 1.0, 0.9)]
    save_matches(archive, one, transcript, found, key="k", now=NOW)
    archive.execute(
        "insert into corrections (question, rendition, start, status, made_at) "
        "select id, ?, 3.3, 'asked', ? from questions where text = 'Beta?'",
        ["ab" * 32, NOW],
    )
    add_feed(archive, "show", episode("one", questions=["New?", "Alpha?", "Beta?"]))
    assert times(archive) == [
        (1, "New?", None, None, 0),
        (2, "Alpha?", "asked", 0.0, 0),
        (3, "Beta?", "asked", 3.3, 1),
    ]
    assert alignment_key(archive, transcript) is None  # so that the next run aligns the new list


def test_a_corrected_question_that_leaves_the_list_is_kept_out_of_sight(archive: Database) -> None:
    add_feed(archive, "show", episode("one", questions=["Alpha?", "Beta?"]))
    archive.execute(
        "insert into corrections (question, rendition, made_at) select id, 'x', ? from questions where number = 2",
        [NOW],
    )
    add_feed(archive, "show", episode("one", questions=["Only?"]))
    assert [row[1] for row in times(archive)] == ["Only?"]
    add_feed(archive, "show", episode("one", questions=["Only?", "Beta?"]))
    assert [row[1] for row in times(archive)] == ["Only?", "Beta?"]
    assert archive.execute("select count(*) from corrections join questions q on q.id = question").fetchone() == (1,)


@pytest.mark.parametrize(
    "retouched",
    [
        "How did you recruit on Market Street ?",
        "How did you recruit – on Market Street?",
        "“How did you recruit on Market Street?”",
        "How did you recuit on Market Street?",
        "How did you recruit on market street",
    ],
)
def test_a_question_of_which_a_slip_is_mended_keeps_what_an_editor_said_of_it(
    archive: Database, retouched: str
) -> None:
    (one,) = add_feed(archive, "show", episode("one", questions=["Why?", "How did you recruit on Market Street?"]))
    (before,) = archive.execute("select id from questions where number = 2").fetchone()
    for text in (retouched, "How did you recruit on Market Street?"):
        add_feed(archive, "show", episode("one", questions=["Quite new?", text, "Why?"]))
        assert archive.execute("select id, text from questions where number = 2").fetchall() == [(before, text)]
    assert archive.execute("select count(*) from questions where episode = ?", [one]).fetchone() == (3,)


def test_a_question_with_another_word_or_figure_is_another_one(archive: Database) -> None:
    for asked in ("How many left in 2024?", "How many left in 2025?", "How many joined in 2025?", "How much was left?"):
        add_feed(archive, "show", episode("one", questions=[asked]))
        (found,) = archive.execute("select id from questions where number = 1").fetchone()
        assert found.split("/q")[1] == hashlib.sha256(asked.casefold().encode()).hexdigest()[:8]


def test_a_slip_that_may_be_of_two_questions_is_of_neither(archive: Database) -> None:
    add_feed(archive, "show", episode("one", questions=["Who cares for them?", "Who cares for then?"]))
    add_feed(archive, "show", episode("one", questions=["Who cares for thee?"]))
    (found,) = archive.execute("select id from questions where number = 1").fetchone()
    assert found.split("/q")[1] == hashlib.sha256(b"who cares for thee?").hexdigest()[:8]


def test_episodes_without_dates_are_in_the_order_of_the_feed_those_of_later_polls_first(archive: Database) -> None:
    first = [replace(episode(f"ep-{n}", title=f"Number {n}"), published=None) for n in (9, 8, 7, 6)]
    newer = replace(episode("ep-10", title="Number 10"), published=None)
    add_feed(archive, "show", *first)
    save_poll(
        archive,
        "show",
        [newer, *first],
        now="2027-01-01T06:00:00Z",
        feed_url="https://example.org/feed.xml",
        validators=Validators(),
        parser_version=1,
    )
    assert [one.title for one in episodes(archive, "show")] == [f"Number {n}" for n in (10, 9, 8, 7, 6)]


def test_the_same_question_twice_is_two(archive: Database) -> None:
    add_feed(archive, "show", episode("one", questions=["Why?", "How?", "Why?"]))
    assert [row[:2] for row in times(archive)] == [(1, "Why?"), (2, "How?"), (3, "Why?")]


def test_what_a_show_is_known_by_elsewhere_stays_when_it_moves(archive: Database) -> None:
    add_feed(archive, "show", episode("one"))
    old = "https://example.org/old.xml"
    save_moves(archive, "show", [Move(old, "https://example.org/feed.xml", "redirect")], now=NOW)
    found = channel(archive.conn, "show")
    assert found is not None
    assert (found.url, found.podcast_guid) == (old, None)
    save_podcast_guid(archive, "show", "917393e3-1b1e-5cef-ace4-edaa54e1f810")
    save_podcast_guid(archive, "show", None)
    found = channel(archive.conn, "show")
    assert found is not None
    assert found.podcast_guid == "917393e3-1b1e-5cef-ace4-edaa54e1f810"


def test_what_a_publisher_changes_is_history(archive: Database) -> None:
    first = episode("one", title="Before")
    add_feed(archive, "show", first)
    url = first.enclosure_url or ""
    for changed in (
        replace(first, title="After"),
        replace(first, title="After", enclosure_url=url + "?token=1", published=None),
        replace(first, title="After", enclosure_url="https://elsewhere.example/1.mp3", notes_html="<p>New</p>"),
    ):
        add_feed(archive, "show", changed)
    history = "select field, was, became, noticed_at from episode_history order by id"
    assert archive.execute(history).fetchall() == [
        ("title", "Before", "After", NOW),
        ("enclosure_url", url + "?token=1", "https://elsewhere.example/1.mp3", NOW),
        ("notes_html", "<p>Notes</p>", "<p>New</p>", NOW),
    ]
    assert archive.execute("select title, published from episodes").fetchall() == [("After", first.published)]


def test_another_offset_of_the_same_moment_is_kept_and_no_news(archive: Database) -> None:
    """An archive of an older version has dates in UTC; the day on which it appeared is the publisher's."""
    first = episode("one", published="2026-05-04T23:10:00Z")
    (id_,) = add_feed(archive, "show", first)
    for published in ("2026-05-05T00:10:00+01:00", "2026-05-05T01:10:00+01:00"):
        assert add_feed(archive, "show", replace(first, published=published)) == [id_]
    assert archive.execute("select field, was, became from episode_history").fetchall() == [
        ("published", "2026-05-05T00:10:00+01:00", "2026-05-05T01:10:00+01:00")
    ]


def test_a_guid_that_was_healed_stays_an_alias(archive: Database) -> None:
    first = episode("one")
    (id_,) = add_feed(archive, "show", first)
    saved = save_poll(
        archive,
        "show",
        [replace(first, guid="two")],
        now=NOW,
        feed_url="https://example.org/feed.xml",
        validators=Validators(),
        parser_version=1,
    )
    assert (saved.new, saved.recognised) == (0, ("An episode",))
    assert archive.execute("select id, guid from episodes").fetchall() == [(id_, "one")]
    assert archive.execute("select episode, guid from episode_guids order by guid").fetchall() == [
        (id_, "one"),
        (id_, "two"),
    ]
    assert archive.execute("select field, was, became from episode_history").fetchall() == [("guid", None, "two")]


def test_an_older_archive_learns_its_guids_as_published(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "old.db")) as connection:
        db = Database(connection)
        migrations.apply(db, stop_before="m008_identity")
        db.execute("insert into feeds (slug, title, url) values ('show', 'Show', 'x')")
        for number, guid in enumerate(("same", "same#d0164aa4", "https://example.org/#01234567")):
            db.execute(
                "insert into episodes (id, feed, guid, title, first_seen, last_seen) values (?, 'show', ?, ?, ?, ?)",
                [f"show/{number}", guid, f"Episode {number}", NOW, NOW],
            )
        migrations.apply(db)
        assert db.execute("select episode, guid from episode_guids order by episode").fetchall() == [
            ("show/0", "same"),
            ("show/1", "same"),
            ("show/2", "https://example.org/#01234567"),
        ]


def test_a_large_feed_takes_no_more_questions_than_a_small_one(archive: Database) -> None:
    asked: list[list[str]] = []
    for slug, size in (("small", 5), ("large", 200)):
        items = [episode(f"guid-{n}", title=f"Episode {n}", questions=["Why?"]) for n in range(size)]
        add_feed(archive, slug, *items)
        statements: list[str] = []
        archive.conn.set_trace_callback(statements.append)
        add_feed(archive, slug, *items)
        archive.conn.set_trace_callback(None)
        asked.append([statement for statement in statements if statement.lstrip().startswith("select")])
    assert len(asked[0]) == len(asked[1])


def test_an_episode_that_is_put_in_with_an_old_date_is_found(archive: Database) -> None:
    add_feed(archive, "show", episode("new", published="2026-03-01T06:00:00Z"))
    add_feed(archive, "show", episode("new", published="2026-03-01T06:00:00Z"),
             episode("old", title="From long ago", published="2019-03-01T06:00:00Z"))  # fmt: skip
    assert len(urls(archive)) == 2


def test_the_people_of_an_episode_are_those_whom_its_feed_names_now(archive: Database) -> None:
    wren, oona = Person("Wren Adeyemi", "host"), Person("Oona Marsh", "guest")
    for people in ((wren,), (wren, oona), (oona, wren), ()):
        (one, other) = add_feed(archive, "show", replace(episode("one"), people=people), episode("other"))
        assert people_of(archive, one) == people
        assert people_of(archive, other) == ()
