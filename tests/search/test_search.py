"""Search: the exact words, once, with the right time."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.addresses import Addresses
from pipeline.archive.database import reader, writer
from pipeline.archive.questions.alignments import save_matches
from pipeline.archive.search import Filters, search
from pipeline.archive.search.hits import Turn
from pipeline.model import Match
from tests.support.building import NOW, add_feed, add_transcript, episode, new_archive, spoken
from tests.support.searching import pages

OLD, NEW = "2026-01-01T00:00:00Z", "2026-03-01T00:00:00Z"


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    with new_archive(tmp_path / "a.db") as db:
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
        db.execute(
            """insert into speakers (transcript, label, name, role, seconds)
            select distinct transcript, speaker, speaker, 'host', 1 from segments where speaker is not null"""
        )
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
    assert Addresses().episode(hit.episode, hit.start).endswith("?t=1.5")


def test_words_are_found_stemmed_ranked_and_marked(connection: sqlite3.Connection) -> None:
    results = search(connection, "relationship")
    assert results.total == len(results.hits) == 3
    assert all("<mark>relationships</mark>" in hit.html for hit in results.hits)


def test_the_rows_that_a_connection_gives_do_not_matter(connection: sqlite3.Connection) -> None:
    queries = ("relationships", '"about relationships"', "work NEAR/9 always", "relation*")
    before = [search(connection, query) for query in queries]
    connection.row_factory = lambda _, row: dict(enumerate(row))
    assert [search(connection, query) for query in queries] == before
    assert all(results.hits for results in before)


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
        (Filters(speaker="hos"), 1),
        (Filters(speaker="guest"), 0),
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
    assert [page.next is None for page in pages] == [False, True, True]
    assert len({hit.episode for page in pages for hit in page.hits}) == 3
    assert search(connection, "relationships", page=pages[0].next, size=2) == pages[1]
    for nonsense in (-5, "x", "2-x", "1-2-3-4", "9" * 40):
        assert search(connection, "relationships", page=nonsense).hits


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


@pytest.mark.parametrize(
    ("typed", "marked"),
    [
        ("about (money OR work)", ["about money", "work about"]),
        ('(calm OR money) ("talk about" OR "zebra crossing")', ["talk about", "talk about"]),
        ('about ("social work" OR "zebra crossing")', ["social work"]),
        ('("is about relationships" OR "we talk") -(door calm)', ["We talk", "We talk"]),
        ("(relationships -nothing -social -talk) OR (money -work)", ["money", "relationships"]),
        ("(money -nothing) OR (relationships here)", ["money", "relationships here"]),
        ("(mon* OR wor*) (tal* OR goo*)", ["Good work", "talk money"]),
        ("(work OR money) NEAR/2 (relationships OR talk)", ["talk about money", "work is about relationships"]),
        ("(work OR money) NEAR relationships -(zebra OR calm)", ["relationships. We talk about money"]),
    ],
)
def test_groups_are_found_and_what_they_look_for_is_marked(
    connection: sqlite3.Connection, typed: str, marked: list[str]
) -> None:
    hits = search(connection, typed).hits
    assert sorted(" ".join(re.findall("<mark>(.*?)</mark>", hit.html)) for hit in hits) == sorted(marked)


def test_each_side_of_an_or_needs_its_own_words_beside_a_beginning(tmp_path: Path) -> None:
    with writer(tmp_path / "s.db") as db:
        (one,) = add_feed(db, "show", episode("one"))
        add_transcript(db, one, spoken("The general agreed.", "A generous door.", "It was generated at the door."))
    with reader(tmp_path / "s.db") as connection:
        for typed in (
            "generous* OR generat* window",
            "(generous* OR (generat* window))",
            "generous* (door OR generat*)",
        ):
            assert [hit.text for hit in search(connection, typed).hits] == ["A generous door."]


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
        save_matches(db, one, first, [Match(1, "asked", 0.0, 0.4, 1.0, 0.9)], key="k", now=NOW)
        second = add_transcript(db, one, spoken("The new wording."))
        assert db.execute("select transcript, text from segments order by id").fetchall() == [
            (first, "The old wording."),
            (first, "Two segments."),
            (second, "The new wording."),
        ]
        assert db.execute("select id from transcripts where preferred").fetchall() == [(second,)]
        assert db.execute("select transcript from matches").fetchall() == [(first,)]
        assert add_transcript(db, one, spoken("The new", "wording.")) == second  # other segments, the same words
        assert add_transcript(db, one, spoken("A third one.")) not in {first, second}
        assert db.execute("select count(*) from transcripts").fetchone() == (3,)
        assert add_transcript(db, one, spoken("The new wording.")) == second
        assert db.execute("select count(*) from transcripts").fetchone() == (3,)
        for table in ("segments_fts", "transcripts_fts"):
            db.execute(f"insert into {table} ({table}, rank) values ('integrity-check', 1)")
    with reader(path) as connection:
        assert search(connection, '"new wording"').total == 1
        assert search(connection, '"old wording"').total == 0


def test_words_near_each_other_are_found_across_segments_from_the_first_to_the_last(
    connection: sqlite3.Connection,
) -> None:
    (hit,) = search(connection, "work NEAR/3 relationships").hits
    assert hit.html == "Good social <mark>work is about relationships</mark>, and it always was."
    assert hit.start == 1.0
    assert hit.end == pytest.approx(2.9)
    assert search(connection, "work NEAR/1 relationships").total == 0


@pytest.mark.parametrize(
    ("query", "marked"),
    [
        ("the NEAR/9 children", ["The children", "the quiet children"]),
        ("children NEAR/9 the", ["The children", "the quiet children"]),
        ("the NEAR/1 the", []),
        ("the NEAR/5 the", ["the same within six years. The", "the quiet children of the"]),
        ("choose NEAR/9 choosing", []),  # one word is not two
        ('"six years" NEAR/1 children', ["six years. The children"]),
        ("the NEAR/1 quiet NEAR/1 children", ["the quiet children"]),
    ],
)
def test_what_is_near_each_other_is_shown_with_a_place_of_each(tmp_path: Path, query: str, marked: list[str]) -> None:
    texts = ("We save the same within six years.", "The children choose.", "And the quiet children of the town.")
    with new_archive(tmp_path / "a.db") as db:
        (one,) = add_feed(db, "show", episode("one"))
        add_transcript(db, one, spoken(*texts))
    with reader(tmp_path / "a.db") as connection:
        found = search(connection, query, order="oldest").hits
    assert [re.findall("<mark>(.*)</mark>", hit.html) for hit in found] == [[said] for said in marked]


def test_what_is_typed_narrows_as_the_filters_do(connection: sqlite3.Connection) -> None:
    assert search(connection, "relationships feed:show").total == 2
    assert search(connection, "relationships speaker:hos").total == 1
    assert search(connection, "relationships speaker:nobody").total == 0
    assert search(connection, "relationships feed:show", Filters(feed="other")).total == 0
    assert search(connection, "relationships speaker:host", Filters(speaker="Host")).total == 1
    assert [hit.text for hit in search(connection, "speaker:host").hits] == [
        "We talk about relationships.",
        "We talk about money.",
    ]
    assert search(connection, '"about relationships" speaker:host').total == 1
    assert [hit.text for hit in search(connection, "speaker:host -money").hits] == ["We talk about relationships."]
    assert search(connection, "-relationship", Filters(feed="other")).total == 0


def test_a_sentence_pasted_without_quotes_is_found_across_segments(connection: sqlite3.Connection) -> None:
    (hit,) = search(connection, "work is about relationships and it always").hits
    assert hit.html == "Good social <mark>work is about relationships, and it always</mark> was."
    assert search(connection, "work is about relationships speaker:host").total == 0
    assert search(connection, "work relationships about").total == 0
    assert search(connection, "work is about relationships -money").total == 0  # an exclusion is not part of a sentence


def test_order(connection: sqlite3.Connection) -> None:
    newest = search(connection, "relationships", order="newest").hits
    assert [hit.published for hit in newest] == [NEW, NEW, OLD]
    assert [hit.published for hit in search(connection, "relationships", order="oldest").hits] == [OLD, NEW, NEW]
    assert [hit.published for hit in search(connection, '"about relationships"').hits] == [NEW, OLD]
    assert [hit.published for hit in search(connection, '"about relationships"', order="oldest").hits] == [OLD, NEW]


def test_a_hit_has_what_is_said_around_it_and_the_address_of_the_quotation(connection: sqlite3.Connection) -> None:
    (hit,) = search(connection, "calm").hits
    assert (hit.before, hit.after) == ("relationships, and it always was.", "")
    assert Addresses().quote(hit.rendition, hit.start, hit.end) == f"/-/quote/{'ab' * 6}/5000-7400"


def test_a_quotation_that_somebody_else_goes_on_with_says_who_says_what(tmp_path: Path) -> None:
    texts = ("Did they object?", "A few <did>.", "They came.", "Good.")
    speakers = ("Host", "Guest", "Guest", None)
    with new_archive(tmp_path / "a.db") as db:
        (one,) = add_feed(db, "show", episode("one"))
        said = [replace(line, speaker=who) for line, who in zip(spoken(*texts), speakers, strict=True)]
        add_transcript(db, one, said)
    with reader(tmp_path / "a.db") as connection:
        (hit,) = search(connection, '"object a few did they"').hits
        assert hit.turns == (
            Turn("Host", "Did they <mark>object?</mark>"),
            Turn("Guest", "<mark>A few &lt;did&gt;. They</mark> came."),
        )
        assert (hit.speakers, hit.who) == (("Host", "Guest"), "Host, then Guest")
        assert (hit.text, hit.after) == ("Did they object? A few <did>. They came.", "")
        (hit,) = search(connection, '"came good"').hits
        assert [(turn.speaker, turn.html) for turn in hit.turns] == [
            ("Guest", "They <mark>came.</mark>"),
            (None, "<mark>Good</mark>."),
        ]
        assert hit.who == "Guest, then somebody"
        (hit,) = search(connection, '"did they came"').hits  # two segments of one speaker
        assert (hit.turns, hit.speakers, hit.who) == ((), ("Guest",), "Guest")


def test_who_turned_out_to_say_nothing_is_not_named_between_two_lines(tmp_path: Path) -> None:
    lines = [("Ann", "We never closed the"), ("Bob", ""), ("Ann", "children’s centre."), ("Bob", ""), ("Cy", "Always.")]
    with new_archive(tmp_path / "a.db") as db:
        (one,) = add_feed(db, "show", episode("one"))
        said = [replace(line, speaker=who) for line, (who, _) in zip(spoken(*["x"] * 5), lines, strict=True)]
        add_transcript(db, one, [replace(line, text=text) for line, (_, text) in zip(said, lines, strict=True)])
    with reader(tmp_path / "a.db") as opened:
        (hit,) = search(opened, '"closed the children’s centre"').hits
        assert (hit.who, hit.turns, hit.text) == ("Ann", (), "We never closed the children’s centre.")
        assert hit.html == "We never <mark>closed the children’s centre</mark>."
        for query in ('"the children’s centre always"', "the NEAR always"):
            (hit,) = search(opened, query).hits
            assert hit.who == "Ann, then Cy"
            assert [turn.html for turn in hit.turns] == [
                "We never closed <mark>the children’s centre.</mark>",
                "<mark>Always</mark>.",
            ]


def test_a_page_goes_on_after_the_last_hit_though_episodes_came_in(tmp_path: Path) -> None:
    path = tmp_path / "g.db"
    with writer(path) as db:
        (one,) = add_feed(db, "show", episode("one", published=OLD))
        add_transcript(db, one, spoken(*[f"door number {n}" for n in range(30)]))
    for query in ("door", '"door number"'):
        with reader(path) as connection:
            first, undisturbed = (search(connection, query, order="newest", size=10, page=page) for page in (1, 2))
        with writer(path) as db:
            (new,) = add_feed(db, "show", episode(query, published=NEW))
            add_transcript(db, new, spoken(*["door number x"] * 5), sha256="cd" * 32)
        with reader(path) as connection:
            assert search(connection, query, order="newest", size=10, page=first.next).hits == undisturbed.hits
            assert search(connection, query, order="newest", size=10, page=2).hits != undisturbed.hits


@pytest.fixture(scope="module")
def worldly(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sqlite3.Connection]:
    path = tmp_path_factory.mktemp("worldly") / "a.db"
    with writer(path) as db:
        (one,) = add_feed(db, "show", episode("one"))
        texts = [
            "Wir gehen die Große Straße", "entlang nach Hause.", "한국 사람 이다", "мой новый дом", "ο λόγος του Θεού",
            "これは がくせい です", "the ﬁrst time", "two cafe\u0301s of Paris", "ISTANBUL İstanbul istanbul",
            "The general was generous.", "They inspect; an inspection was inspected.", "A car and some care.",
        ]  # fmt: skip
        add_transcript(db, one, spoken(*texts))
    with reader(path) as opened:
        yield opened


@pytest.mark.parametrize(
    "quote",
    ["Große Straße entlang", "한국 사람", "мой новый дом", "ο λόγος του", "これは がくせい", "the ﬁrst time",
     "two cafés of", "two cafe\u0301s of"],
)  # fmt: skip
def test_a_quotation_in_any_script_is_found(worldly: sqlite3.Connection, quote: str) -> None:
    assert search(worldly, f'"{quote}"').total == 1


@pytest.mark.parametrize(
    ("beginning", "marked"),
    [("inspecti*", ["inspection"]), ("inspecte*", ["inspected"]), ("general*", ["general"]), ("care*", ["care"]),
     ("gener*", ["general", "generous"]), ("straß*", ["Straße"]), ("caf*", ["cafe\u0301s"]), ("xy*", [])],
)  # fmt: skip
def test_the_beginning_of_a_word_finds_words_that_begin_so_and_no_others(
    worldly: sqlite3.Connection, beginning: str, marked: list[str]
) -> None:
    hits = search(worldly, beginning).hits
    assert re.findall("<mark>(.*?)</mark>", " ".join(hit.html for hit in hits)) == marked


def test_a_search_that_looks_through_the_newest_episodes_in_vain_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "h.db"
    with writer(path) as db:
        dated = [episode(str(n), published=f"20{n // 300 + 20}-01-01T00:00:{n % 60:02}Z") for n in range(620)]
        for n, one in enumerate(add_feed(db, "show", *dated)):
            add_transcript(db, one, spoken(*["the door"] * 9), sha256=f"{n:064}")
        db.execute("update segments set questions = '[9]' where id = 1")
    with reader(path) as connection:
        for query in ("door question:9", '"the door" question:9', "question:9"):
            found = pages(connection, query)
            assert len(found) > 1
            assert [len(page.hits) for page in found] == [0] * (len(found) - 1) + [1]
            assert found[0].searched
        numbered = [search(connection, '"the door"', page=n, size=600).hits for n in range(1, 11)]
        assert sum(map(len, numbered)) == 620 * 9


def test_places_that_lie_in_each_other_are_one_hit(connection: sqlite3.Connection) -> None:
    for size in (1, 20):
        for query in ('"the front door" OR "the front door is"', '"the front door is" OR calm'):
            (page,) = pages(connection, query, size=size)
            assert (page.total, page.hits[0].html) == (1, "<mark>The front door is</mark> &lt;b&gt;calm&lt;/b&gt;.")


def test_transcripts_that_are_set_aside_count_for_nothing(tmp_path: Path) -> None:
    path = tmp_path / "i.db"
    with writer(path) as db:
        for n, one in enumerate(add_feed(db, "show", *(episode(str(n)) for n in range(10)))):
            for key in ("a", "b", "c", "d"):
                add_transcript(db, one, spoken(*["the door"] * 200), sha256=f"{n:064}", key=key)
    with reader(path) as connection:
        found = pages(connection, "door", size=500)
        assert sum(len(page.hits) for page in found) == 2000
        assert found[-1].total == 2000
        assert all(page.total <= 2000 for page in found)


def test_a_sentence_of_many_words_is_rather_what_was_said_word_for_word(tmp_path: Path) -> None:
    path = tmp_path / "j.db"
    with writer(path) as db:
        (one,) = add_feed(db, "show", episode("one"))
        add_transcript(
            db, one, spoken("social work is about", "people and not forms", "Forms not and people about is work social")
        )
    with reader(path) as connection:
        (hit,) = search(connection, "work is about people and not forms").hits
        assert hit.start == 0.5
        assert search(connection, "forms people work").total == 1
