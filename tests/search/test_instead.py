"""Suggestions for searches without hits, and facets, on a small archive of known words."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.archive.database import reader, writer
from pipeline.archive.search import Filters, search, words
from pipeline.archive.search.facets import facets
from pipeline.archive.search.instead import instead
from pipeline.archive.search.nearly import compare, nearly
from pipeline.archive.search.query import compile_query
from pipeline.archive.search.spelling import spelling
from tests.support.building import add_feed, add_transcript, episode, spoken

WORDS = [
    "about",
    "after",
    "again",
    "air",
    "all",
    "along",
    "also",
    "always",
    "and",
    "another",
    "answer",
    "any",
    "ask",
    "at",
    "away",
    "back",
    "be",
    "because",
    "been",
    "before",
]
SAID = (
    "We picked three things and",
    "we refused to add a fourth.",
    "Nobody holds a child protection case alone.",
    "The MASH meets every morning, and the caseloads came down.",
)


@pytest.fixture(scope="module")
def connection(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sqlite3.Connection]:
    path = tmp_path_factory.mktemp("instead") / "a.db"
    chance = random.Random(3)  # noqa: S311 - reproducible
    with writer(path) as db:
        first, second = add_feed(
            db,
            "show",
            episode("one", published="2026-01-05T00:00:00Z"),
            episode("two", published="2026-03-05T00:00:00Z"),
        )
        (third,) = add_feed(db, "other", episode("three", published="2026-03-09T00:00:00Z"))
        filler = [" ".join(chance.choices(WORDS, k=9)) for _ in range(300)]
        add_transcript(db, first, spoken(*filler[:150], *SAID, *filler[150:]))
        add_transcript(db, second, spoken("Things came down.", "Things, things."), sha256="cd" * 32)
        add_transcript(db, third, spoken("Some things never change."), sha256="ef" * 32)
        db.execute("update segments set speaker = 'Ann', role = 'answer', questions = '[2]' where text like 'Things%'")
    with reader(path) as opened:
        yield opened


@pytest.mark.parametrize(
    ("asked", "differing", "shown"),
    [
        ('"picked four things and we refused"', 1, "picked [four] {three} things and we refused"),
        ('"picked three things and refused to add"', 1, "picked three things and {we} refused to add"),
        ('"we picked the three things and we"', 1, "We picked [the] three things and we"),
        ("nobody holds a child protection phase alone", 1, "Nobody holds a child protection [phase] {case} alone"),
        ("we picked three things and we refused", 0, "We picked three things and we refused"),
    ],
)
def test_the_passage_with_the_fewest_differing_words_is_offered(
    connection: sqlite3.Connection, asked: str, differing: int, shown: str
) -> None:
    found = nearly(connection, compile_query(asked))
    assert (found[0].differing, found[0].shown) == (differing, shown)
    assert "<mark>" in found[0].hit.html


@pytest.mark.parametrize(
    ("asked", "shown"),
    [
        ('"cost £2.6m for the children homes in York"', "cost £2.6m for the [children] {children’s} homes in York"),
        ('"it cost £3.6m for the children’s homes"', "It cost [£3.6m] {£2.6m} for the children’s homes"),
        ('"I am glad that we met twelve families"', "[I am] {I’m} glad that we met twelve families"),
        ("I'm sad that we met twelve families", "I’m [sad] {glad} that we met twelve families"),
        ('"a well known nine-to-fives job"', "a well-known [nine-to-fives] {nine-to-five} job"),
        ('"the well-known nine to six job"', "[the] {a} well-known [nine to six] {nine-to-five} job"),
        ('"it rose by 12% in a single year"', "it rose by 12% in a [single] year"),
    ],
)
def test_what_is_shown_is_spelt_as_it_was_said(tmp_path: Path, asked: str, shown: str) -> None:
    path = tmp_path / "s.db"
    texts = ("It cost £2.6m for the children’s homes in York.", "I’m glad that we met twelve families.")
    with writer(path) as db:
        (one,) = add_feed(db, "show", episode("one"))
        add_transcript(db, one, spoken(*texts, "It is a well-known nine-to-five job, and it rose by 12% in a year."))
    with reader(path) as opened:
        assert nearly(opened, compile_query(asked))[0].shown == shown


@pytest.mark.parametrize(
    ("asked", "shown"),
    [
        ('"1 in 5"', "1 in [5] {4}"),
        ('"5 in 4 of them"', "[5] {1} in 4 of them"),
        ('"in 4 of them went"', "in 4 of them [went] {left}"),
        ('"of them left home"', "of them left [home]"),  # nothing more is said
    ],
)
def test_what_was_said_in_place_of_the_first_and_the_last_word_is_shown(tmp_path: Path, asked: str, shown: str) -> None:
    with writer(tmp_path / "a.db") as db:
        (one,) = add_feed(db, "show", episode("one"))
        add_transcript(db, one, spoken("It was 1 in 4 of them left."))
    with reader(tmp_path / "a.db") as opened:
        assert nearly(opened, compile_query(asked))[0].shown == shown


@pytest.mark.parametrize(
    ("asked", "differing", "shown", "marked"),
    [
        (
            '"6 million pounds on schools"',
            1,
            "[6 million] {2.6 million} pounds on schools",
            "2.6 million pounds on schools",
        ),
        ('"went up 20% in the last year"', 1, "went up [20%] {20} in the last year", "went up 20 in the last year"),
        ('"it fell by 12 in the end"', 1, "It fell by [12] {12%} in the end", "It fell by 12% in the end"),
        ('"lost 400 staff in two years"', 1, "lost [400] {1,400} staff in two years", "lost 1,400 staff in two years"),
        ('"we lost 1 in two years"', 2, "We lost [1] {1,400 staff} in two years", "We lost 1,400 staff in two years"),
        ('"staff in two years or 400"', 2, "staff in two years [or 400]", "staff in two years"),
    ],
)
def test_no_figure_is_the_same_as_a_part_of_one(
    tmp_path: Path, asked: str, differing: int, shown: str, marked: str
) -> None:
    texts = ("We spent 2.6 million pounds on schools.", "Numbers went up 20 in the last year.")
    with writer(tmp_path / "a.db") as db:
        (one,) = add_feed(db, "show", episode("one"))
        add_transcript(db, one, spoken(*texts, "It fell by 12% in the end.", "We lost 1,400 staff in two years."))
    with reader(tmp_path / "a.db") as opened:
        (best, *_) = nearly(opened, compile_query(asked))
    assert (best.differing, best.shown) == (differing, shown)
    assert f"<mark>{marked}</mark>" in best.hit.html


@pytest.mark.parametrize(
    ("asked", "shown"),
    [
        ('"all our neighbors organized it in 5 weeks"', "[all] {Then} our neighbours organised it in five weeks"),
        ('"for £2.6 million or 20 percent of everything"', "for £2.6m or 20% of [everything] {that}"),
        ('"the well-being of 4000 kids"', "the wellbeing of 4,000 [kids] {children}"),
        ('"neighbors organised things"', "neighbours organised [things] {it}"),
    ],
)
def test_another_spelling_is_no_difference(tmp_path: Path, asked: str, shown: str) -> None:
    texts = ("Then our neighbours organised it in five weeks.", "It was for £2.6m or 20% of that.")
    with writer(tmp_path / "a.db") as db:
        (one,) = add_feed(db, "show", episode("one"))
        add_transcript(db, one, spoken(*texts, "We saw to the wellbeing of 4,000 children."))
    with reader(tmp_path / "a.db") as opened:
        (best, *_) = nearly(opened, compile_query(asked))
    assert (best.differing, best.shown) == (1, shown)


def test_the_mark_and_the_times_are_of_the_passage_that_differs(connection: sqlite3.Connection) -> None:
    (best, *_) = nearly(connection, compile_query('"picked four things and we refused"'))
    assert best.hit.html.startswith("We <mark>picked three things and we refused</mark> to add")
    assert best.hit.end - best.hit.start == pytest.approx(6 * 0.5 - 0.1)


def test_what_has_nothing_in_common_is_not_offered(connection: sqlite3.Connection) -> None:
    assert nearly(connection, compile_query('"zebras cross quickly over there"')) == ()
    assert nearly(connection, compile_query('"picked other fruit from taller trees"')) == ()
    assert nearly(connection, compile_query("two words")) == ()
    assert nearly(connection, compile_query('"picked four things and we refused"'), Filters(feed="other")) == ()


def test_what_narrows_is_not_compared(connection: sqlite3.Connection) -> None:
    (best, *_) = nearly(connection, compile_query("nobody holds a child protection phase alone feed:show -zebra"))
    assert best.differing == 1


@pytest.mark.parametrize(
    ("filters", "typed", "speakers"),
    [
        (Filters(), "", ["Bob", "Ann"]),
        (Filters(speaker="Ann"), "", ["Ann"]),
        (Filters(role="question"), "", ["Bob"]),
        (Filters(question=7), "", ["Ann"]),
        (Filters(), "speaker:bob", ["Bob"]),
        (Filters(), "question:7", ["Ann"]),
        (Filters(question=9), "", []),
        (Filters(), "-pears", ["Ann"]),
        (Filters(), '-"apples and pears"', ["Ann"]),
    ],
)
def test_filters_and_exclusions_hold_of_what_is_nearly_said(
    tmp_path: Path, filters: Filters, typed: str, speakers: list[str]
) -> None:
    with writer(tmp_path / "a.db") as db:
        ann, bob = add_feed(db, "show", episode("ann", published="2026-01-05T00:00:00Z"), episode("bob"))
        add_transcript(db, ann, spoken("Nobody here holds a case", "alone.", "Bananas."))
        add_transcript(db, bob, spoken("Nobody there holds a case alone.", "Apples and pears."), sha256="cd" * 32)
        db.execute("update segments set speaker = 'Ann', role = 'answer', questions = '[7]' where episode = ?", [ann])
        db.execute("update segments set speaker = 'Bob', role = 'question' where episode = ?", [bob])
        db.execute(
            """insert into speakers (transcript, label, name, role, seconds)
            select distinct transcript, speaker, speaker, 'host', 1 from segments"""
        )
    with reader(tmp_path / "a.db") as opened:
        found = nearly(opened, compile_query(f'"nobody holds a case alone" {typed}'), filters)
    assert [one.hit.speaker for one in found] == speakers


def test_short_passages_and_other_feeds_do_not_crowd_out_what_is_nearest(tmp_path: Path) -> None:
    with writer(tmp_path / "a.db") as db:
        crowd = add_feed(db, "show", *[episode(str(n)) for n in range(70)])
        (there,) = add_feed(db, "other", episode("there"))
        for n, one in enumerate(crowd):
            add_transcript(db, one, spoken("picked four things and we refused"), sha256=f"{n:064x}")
        near = "we picked three things and we refused to add a fourth one because it was all too much"
        add_transcript(db, there, spoken(near), sha256="ef" * 32)
        add_transcript(db, crowd[0], spoken(*["filler words here"] * 2_500), sha256=f"{0:064x}", key="1" * 12)
    asked = '"we picked four things and we refused to add a fifth"'
    with reader(tmp_path / "a.db") as opened:
        for filters in (Filters(), Filters(feed="other")):
            (best,) = nearly(opened, compile_query(asked), filters)
            assert (best.differing, best.hit.episode) == (2, there)


def test_a_long_quotation_is_compared_by_its_first_words(connection: sqlite3.Connection) -> None:
    said = " ".join(text for (text,) in connection.execute("select text from segments order by id limit 9"))
    (best, *_) = nearly(connection, compile_query(f'"{said} {" ".join(["zebra"] * 60)}"'))
    assert best.differing == 0


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("caselods", "caseloads"),
        ("case\u00adlods", "caseloads"),
        ("protecton", "protection"),
        ("kaseloads", "caseloads"),
        ("mashh morning", "mash morning"),
        ('"child protektion case"', '"child protection case"'),
        ("feed:show caselods", "feed:show caseloads"),
        ("caselods -protecton", "caseloads -protecton"),
        ("caselods NEAR/5 dwn", "caseloads NEAR/5 down"),
        ("caselo*", None),  # a word with this prefix occurs
        ("caselodz* morning", "caseloads* morning"),
        ("(caselods OR mornin) (down OR came)", "(caseloads OR morning) (down OR came)"),
        ("mosh caselods protecton zebbra yakk xyloph", None),  # another language, perhaps
        ("xylophone", None),
        ("things", None),  # nothing wrong with it
    ],
)
def test_the_nearest_spelling_is_offered(connection: sqlite3.Connection, typed: str, meant: str | None) -> None:
    assert instead(connection, compile_query(typed)).spelling == meant


def test_a_looser_search_is_offered_that_finds_something(connection: sqlite3.Connection) -> None:
    assert instead(connection, compile_query('"down things"')).looser == "down things"
    assert instead(connection, compile_query("mash zebra")).looser == "mash OR zebra"
    assert instead(connection, compile_query("zebra yak")).looser is None
    assert instead(connection, compile_query("what is the down of that")).looser == "down"
    assert instead(connection, compile_query("and how is the zebra in a mash")).looser == "zebra OR mash"
    for figure in ("5,000", "“5,000”", "1.000,5", "£2.75m"):
        assert instead(connection, compile_query(figure)).looser is None
    assert instead(connection, compile_query("5,000 mash")).looser == "5,000 OR mash"


@pytest.mark.parametrize(
    ("typed", "looser"),
    [
        ("zebra -things", None),
        ("speaker:nobody things", None),
        ("zebra things -money", "zebra OR things -money"),
        ("zebra (things OR yak) -(money door)", "zebra OR things OR yak -(money door)"),
        ('"down things" feed:show', "down things feed:show"),
        ("mash zebra feed:other", None),
        ("caselod* NEAR/5 mas*", "caselod* OR mas*"),
    ],
)
def test_what_narrows_stays_in_a_looser_search(connection: sqlite3.Connection, typed: str, looser: str | None) -> None:
    assert instead(connection, compile_query(typed)).looser == looser


def test_a_mishearing_that_was_set_aside_is_not_said_any_more(tmp_path: Path) -> None:
    with writer(tmp_path / "a.db") as db:
        (one,) = add_feed(db, "show", episode("one"))
        add_transcript(db, one, spoken("The caselods fell."))
        add_transcript(db, one, spoken("The caseloads fell."), key="1" * 12)
    with reader(tmp_path / "a.db") as opened:
        assert spelling(opened.cursor(), compile_query("caselods")) == "caseloads"


def test_a_table_named_vocabulary_stays_in_sight(tmp_path: Path) -> None:
    with writer(tmp_path / "a.db") as db:
        (one,) = add_feed(db, "show", episode("one"))
        add_transcript(db, one, spoken("The caseloads fell."))
        db.execute("create table vocabulary (mine)")
    with reader(tmp_path / "a.db") as opened:
        assert spelling(opened.cursor(), compile_query("caselods")) == "caseloads"
        assert opened.execute("select mine from vocabulary").fetchall() == []


def test_hits_are_counted_by_feed_speaker_role_and_question(connection: sqlite3.Connection) -> None:
    found = facets(connection, compile_query("things"))
    assert (found.counted, found.complete) == (4, True)
    assert found.feeds == (("show", 3), ("other", 1))
    assert found.speakers == (("Ann", 2),)
    assert found.roles == (("answer", 2), ("other", 2))
    assert found.questions == ((2, 2),)
    assert facets(connection, compile_query("things"), Filters(feed="other")).counted == 1
    assert facets(connection, compile_query('"things things"')).counted == 1
    assert facets(connection, compile_query("")).counted == 0
    assert facets(connection, compile_query(""), Filters(speaker="Ann")).counted == 2


def test_months_count_the_episodes_in_which_it_is_said(connection: sqlite3.Connection) -> None:
    assert facets(connection, compile_query("things")).months == (("2026-01", 1), ("2026-03", 2))
    assert facets(connection, compile_query('"things came"')).months == (("2026-03", 1),)
    assert facets(connection, compile_query("things"), Filters(speaker="Ann")).months == (("2026-03", 1),)


@pytest.mark.parametrize(
    ("typed", "months"),
    [
        ("front door", (("2026-02", 1),)),
        ("door -money", (("2026-01", 1),)),
        ("door", (("2026-01", 1), ("2026-02", 1))),
        ('"talk about it"', (("2026-03", 1),)),
        ("talked about it all", (("2026-03", 1),)),  # not in one segment
        ("speaker:ann", (("2026-01", 1),)),
        ("feed:show -money", (("2026-01", 1), ("2026-03", 2))),
        ("zebra", ()),
    ],
)
def test_counts_are_of_what_the_search_finds(tmp_path: Path, typed: str, months: tuple[tuple[str, int], ...]) -> None:
    with writer(tmp_path / "a.db") as db:
        texts = (
            ("A door.", "The front.", "Money."),
            ("The front door, and money.",),
            ("We talk about it.",),
            ("They talked about", "it all."),
        )
        dates = ("2026-01-05", "2026-02-05", "2026-03-05", "2026-03-06")
        ids = add_feed(db, "show", *[episode(date, published=f"{date}T00:00:00Z") for date in dates])
        for n, (one, said) in enumerate(zip(ids, texts, strict=True)):
            add_transcript(db, one, spoken(*said), sha256=f"{n:064x}")
        db.execute("update segments set speaker = 'Ann' where text = 'The front.'")
        db.execute(
            """insert into speakers (transcript, label, name, role, seconds)
            select distinct transcript, speaker, speaker, 'host', 1 from segments where speaker is not null"""
        )
    with reader(tmp_path / "a.db") as opened:
        found = search(opened, typed)
        spread = facets(opened, compile_query(typed))
    assert (spread.months, spread.counted, spread.complete) == (months, found.total, True)
    assert sum(number for _, number in spread.months) == len({hit.episode for hit in found.hits})


def test_where_hits_are_too_many_to_count_all_episodes_that_fit_are_about_as_many(
    connection: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(words, "MANY", 1)
    monkeypatch.setattr(words, "EPISODES", 2)
    found = facets(connection, compile_query("things"))
    assert (found.counted, found.complete, found.months) == (3, False, (("2026-01", 1), ("2026-03", 2)))
    # Transcript-level matches do not reflect speakers, or passages without a word.
    assert facets(connection, compile_query("things -down"), Filters()).months == ()


@given(st.lists(st.sampled_from(WORDS), min_size=1, max_size=8), st.lists(st.sampled_from(WORDS), max_size=30))
def test_a_comparison_goes_through_both_texts_in_order(asked: list[str], said: list[str]) -> None:
    begin, end, steps = compare(asked, said)
    assert [a for a, _ in steps if a is not None] == list(range(len(asked)))
    assert [s for _, s in steps if s is not None] == list(range(begin, end))
    # Never worse than any window of the same length, compared word by word.
    worst = min(
        (
            sum(one != other for one, other in zip(asked, said[n : n + len(asked)], strict=False))
            + max(0, n + len(asked) - len(said))
        )
        for n in range(max(1, len(said)))
    )
    assert sum(0.6 * (a is None or s is None or asked[a] != said[s]) for a, s in steps) <= worst + 1e-9


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.text(max_size=40)
    | st.lists(
        st.sampled_from(
            [
                "OR",
                "NEAR/3",
                "NEAR",
                "(",
                ")",
                "-(",
                "things'",
                "speaker:ann",
                "feed:show",
                "question:2",
                '"',
                "“",
                "-",
                "things",
                "thin*",
                "‘a’",
                "caselods",
                "İ",
            ]
        ),
        max_size=9,
    ).map(" ".join)
)
def test_nothing_that_is_typed_raises(connection: sqlite3.Connection, text: str) -> None:
    results = search(connection, text)
    assert len(results.hits) <= results.total
    facets(connection, compile_query(text))
    instead(connection, compile_query(text))


def test_no_number_is_taken_for_another_and_a_hyphen_may_be_what_is_missing(tmp_path: Path) -> None:
    with writer(tmp_path / "h.db") as db:
        (one,) = add_feed(db, "show", episode("one"))
        add_transcript(db, one, spoken("In 2019 re-offending fell by 3500 cases."))
    with reader(tmp_path / "h.db") as opened:
        assert instead(opened, compile_query("2018")).spelling is None
        assert instead(opened, compile_query("3600 cases")).spelling is None
        assert instead(opened, compile_query("reoffending")).spelling == "re-offending"
