"""Search: the exact words, once, at the right second."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.archive.database import reader, writer
from pipeline.archive.search import Filters, search
from pipeline.archive.transcripts import save_matches
from pipeline.model import Match
from tests.building import NOW, add_feed, add_transcript, episode, spoken

OLD, NEW = "2026-01-01T00:00:00Z", "2026-03-01T00:00:00Z"


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    with writer(tmp_path / "a.db") as db:
        first, second = add_feed(db, "show", episode("one", published=OLD), episode("two", published=NEW))
        (other,) = add_feed(db, "other", episode("three", title="<b>Three</b>", published=NEW))
        add_transcript(
            db,
            first,
            spoken("Good social work is about", "relationships, and it always was.", "The front door is <b>calm</b>."),
        )
        add_transcript(db, second, spoken("We talk about relationships.", "We talk about money."), sha256="cd" * 32)
        add_transcript(db, other, spoken("Nothing but relationships here."), sha256="ef" * 32)
        db.execute("update segments set speaker = 'Host', role = 'question' where text like 'We talk%'")
    with reader(tmp_path / "a.db") as opened:
        yield opened


@pytest.mark.parametrize("query", ['"is about relationships and it"', "“is about relationships, and it”"])
def test_a_phrase_across_two_segments_is_found_once_at_its_first_words_second(
    connection: sqlite3.Connection, query: str
) -> None:
    results = search(connection, query)
    assert results.total == len(results.hits) == 1
    (hit,) = results.hits
    assert hit.start == 1.5  # the fourth word, half a second each
    assert hit.end == pytest.approx(3.9)
    assert hit.text == "Good social work is about relationships, and it always was."
    assert hit.html == "Good social work <mark>is about relationships, and it</mark> always was."
    assert hit.path.endswith("?t=1.5")


def test_words_are_found_stemmed_ranked_and_marked(connection: sqlite3.Connection) -> None:
    results = search(connection, "relationship")
    assert results.total == 3
    assert all("<mark>relationships</mark>" in hit.html for hit in results.hits)


def test_html_in_a_transcript_is_text(connection: sqlite3.Connection) -> None:
    (hit,) = search(connection, "calm").hits
    assert hit.html == "The front door is &lt;b&gt;<mark>calm</mark>&lt;/b&gt;."
    (hit,) = search(connection, '"is b calm"').hits
    assert "&lt;b&gt;calm" in hit.html


@pytest.mark.parametrize(
    ("filters", "total"),
    [
        (Filters(feed="show"), 2),
        (Filters(speaker="Host"), 1),
        (Filters(role="question"), 1),
        (Filters(since="2026-02-01"), 2),
        (Filters(until="2026-01-01"), 1),
        (Filters(feed="show", since="2026-02-01"), 1),
        (Filters(feed="none"), 0),
    ],
)
@pytest.mark.parametrize("query", ["relationships", '"relationships here" OR "about relationships"'])
def test_filters(connection: sqlite3.Connection, filters: Filters, total: int, query: str) -> None:
    assert search(connection, query, filters).total == total


def test_pages(connection: sqlite3.Connection) -> None:
    pages = [search(connection, "relationships", page=page, size=2) for page in (1, 2, 3)]
    assert [len(page.hits) for page in pages] == [2, 1, 0]
    assert [page.next for page in pages] == [2, None, None]
    assert len({hit.episode for page in pages for hit in page.hits}) == 3
    assert search(connection, "relationships", page=-5).hits


@pytest.mark.parametrize("query", ["", '"', "absent", '"absent words"', "-relationships"])
def test_nothing_found(connection: sqlite3.Connection, query: str) -> None:
    assert search(connection, query).total == 0


def test_an_exclusion_holds_for_the_whole_transcript_of_a_phrase(connection: sqlite3.Connection) -> None:
    assert search(connection, '"about relationships" -money').total == 1
    assert search(connection, '"about relationships"').total == 2


def test_a_quotation_is_word_for_word_though_words_are_stemmed(connection: sqlite3.Connection) -> None:
    assert search(connection, '"talk about relationships"').total == 1
    assert search(connection, '"talks about relationships"').total == 0
    assert search(connection, '"TALK ABOUT RELATIONSHIPS"').total == 1
    assert search(connection, "talking relationship").total == 1


def test_either_side_of_an_or_is_found_beside_a_phrase(connection: sqlite3.Connection) -> None:
    assert search(connection, 'calm OR "zebra crossing"').total == 1
    assert search(connection, '"zebra crossing" OR calm').total == 1
    hits = search(connection, 'money OR "nothing but relationships" OR calming').hits
    assert sorted(hit.html for hit in hits) == [
        "<mark>Nothing but relationships</mark> here.",
        "The front door is &lt;b&gt;<mark>calm</mark>&lt;/b&gt;.",
        "We talk about <mark>money</mark>.",
    ]


def test_a_phrase_said_twice_over_itself_is_found_at_each_place(tmp_path: Path) -> None:
    with writer(tmp_path / "d.db") as db:
        (one,) = add_feed(db, "show", episode("one"))
        add_transcript(db, one, spoken("no no no", "no way"))
    with reader(tmp_path / "d.db") as connection:
        assert [hit.start for hit in search(connection, '"no no"').hits] == [0.0, 0.5, 1.0]


def test_only_the_preferred_transcript_is_searched_and_ids_stay(tmp_path: Path) -> None:
    path = tmp_path / "b.db"
    with writer(path) as db:
        (one,) = add_feed(db, "show", episode("one"))
        first = add_transcript(db, one, spoken("The old wording."), key="old")
        second = add_transcript(db, one, spoken("The new wording."), key="new")
        assert add_transcript(db, one, spoken("The old wording."), key="old") == first
        assert add_transcript(db, one, spoken("The new wording."), key="new") == second
        assert db.execute("select count(*) from segments").fetchone()[0] == 2
        for table in ("segments_fts", "transcripts_fts"):
            db.execute(f"insert into {table} ({table}, rank) values ('integrity-check', 1)")
    with reader(path) as connection:
        assert [hit.text for hit in search(connection, "wording").hits] == ["The new wording."]
        assert [hit.text for hit in search(connection, '"old wording"').hits] == []


def test_what_is_heard_anew_under_the_same_key_is_found_and_the_old_set_aside(tmp_path: Path) -> None:
    path = tmp_path / "e.db"
    with writer(path) as db:
        (one,) = add_feed(db, "show", episode("one", questions=["Old?"]))
        first = add_transcript(db, one, spoken("The old wording.", "Two segments."))
        save_matches(db, one, first, [Match(1, "asked", 0.0, 0.4, 1.0, 0.9)], [("other", None)] * 2, key="k", now=NOW)
        second = add_transcript(db, one, spoken("The new wording."))
        assert db.execute("select transcript, text from segments order by id").fetchall() == [
            (first, "The old wording."),
            (first, "Two segments."),
            (second, "The new wording."),
        ]
        assert db.execute("select id from transcripts where preferred").fetchall() == [(second,)]
        assert db.execute("select transcript from matches").fetchall() == [(first,)]
        assert add_transcript(db, one, spoken("The new", "wording.")) == second  # other segments, no other words
        assert add_transcript(db, one, spoken("A third one.")) not in {first, second}
        assert db.execute("select count(*) from transcripts").fetchone() == (3,)
        assert add_transcript(db, one, spoken("The new wording.")) == second
        assert db.execute("select count(*) from transcripts").fetchone() == (3,)
        for table in ("segments_fts", "transcripts_fts"):
            db.execute(f"insert into {table} ({table}, rank) values ('integrity-check', 1)")
    with reader(path) as connection:
        assert search(connection, '"new wording"').total == 1
        assert search(connection, '"old wording"').total == 0


def test_six_word_quotes_of_a_long_transcript_are_all_found_once(tmp_path: Path) -> None:
    """Whatever the segments' edges: recall 1.0, no duplicates, the second of the first word."""
    chance = random.Random(7)  # noqa: S311 - a reproducible text
    vocabulary = [f"{a}{b}" for a in ("lo", "mi", "ra", "tu", "ke", "so") for b in ("ban", "dor", "fin", "gul", "hem")]
    words = [chance.choice(vocabulary) for _ in range(3000)]
    texts, position = [], 0
    while position < len(words):
        length = chance.randint(3, 18)
        texts.append(" ".join(words[position : position + length]))
        position += length
    path = tmp_path / "c.db"
    with writer(path) as db:
        (one,) = add_feed(db, "show", episode("one"))
        add_transcript(db, one, spoken(*texts))
    with reader(path) as connection:
        for _ in range(150):
            first = chance.randrange(len(words) - 6)
            quote = words[first : first + 6]
            expected = [n for n in range(len(words) - 5) if words[n : n + 6] == quote]
            hits = search(connection, f'"{" ".join(quote)}"').hits
            assert [hit.start for hit in hits] == [pytest.approx(0.5 * n) for n in expected]
