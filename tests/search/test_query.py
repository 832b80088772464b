"""The query compiler: pasted text never causes an SQLite error, and is interpreted as intended."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from pipeline.archive.search.parser import take_apart
from pipeline.archive.search.query import compile_query
from pipeline.archive.search.words import fitting
from pipeline.archive.tokens import folded_words
from tests.support.searching import Reading, together

TEXTS = {
    1: "Social work is about relationships, not about process.",
    2: "We don't use C++ and it cost £13.60 per family.",
    3: "The well-established partnership manages caseloads carefully.",
    4: "A café in Leeds welcomed care leavers.",
}


@pytest.fixture(scope="module")
def index() -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(":memory:", check_same_thread=False)
    connection.execute("create virtual table t using fts5(text, tokenize='porter unicode61 remove_diacritics 2')")
    connection.executemany("insert into t (rowid, text) values (?, ?)", TEXTS.items())
    yield connection
    connection.close()


def found(index: sqlite3.Connection, text: str) -> set[int]:
    query = compile_query(text)
    rows = index.execute("select rowid, text from t where t match ?", [query.match]).fetchall() if query.match else []
    sides = (fitting(index.cursor(), side, dict(rows), index="t") for side in query.alternatives)
    return {row for side in sides for row in side}


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("relationship", {1}),  # stemmed
        ("manageable caseload", {3}),
        ("manageable caseload leeds", set()),
        ('"social work is"', {1}),
        ("“social work is”", {1}),
        ("«social work is»", {1}),
        ("”work social”", set()),
        ("»work social«", set()),
        ("›work social‹", set()),
        ("»social work« »is about«", {1}),
        ("(“work social”)", set()),
        ("(“work about”, about)", set()),
        ("—“work social”", set()),
        ("[‘work social’]", set()),
        ("(“social work”)", {1}),
        ("about(“work social”)", set()),
        ("about(“social work”) relationships", {1}),
        ("(about(“social work”) relationships) OR cost", {1, 2}),
        ("about—“social work”—relationships", {1}),
        ("about—“work social”", set()),
        ("the -[“social work”]", {3}),
        ('"work social"', set()),
        ("relat*", {1}),
        ("r*", set()),  # a single letter is a word
        ("about -process", set()),
        ("about OR caseloads", {1, 3}),
        ("about or caseloads", set()),  # only capital OR is an operator
        ("don’t", {2}),
        ("don't", {2}),
        ("C++", {2}),
        ("£13.60", {2}),
        ("well-established", {3}),
        ("well established", {3}),
        ("cafe", {4}),
        ("the -leeds", {3}),
        ("-leeds", set()),  # nothing to look for
        ('"', set()),
        ('"social', {1}),  # a lone quote is text
        ("social AND", set()),  # joins nothing: text
        ("AND social", set()),
        ("social AND work", {1}),
        ("social AND caseloads", set()),
        ("about AND social OR caseloads AND carefully", {1, 3}),
        ("social and work", set()),  # only in capitals
        ("don't AND use AND cost", {2}),
        ("about NOT process", set()),
        ("the NOT leeds", {3}),
        ("the AND NOT leeds", {3}),
        ('about NOT "about process"', set()),
        ("about NOT NOT -process", set()),
        ("about OR the NOT leeds", {1, 3}),
        ("NOT leeds", set()),  # nothing to look for
        ("about NOT", {1}),  # text
        ("text:social", set()),
        ("NEAR(social work)", set()),
        ("‘social work is’", {1}),  # single quotes, curly or straight, if they cannot be apostrophes
        ("'social work is'", {1}),
        ("'work social'", set()),
        ("'tis about", set()),
        ("work NEAR/1 about", {1}),
        ("social NEAR/1 about", set()),
        ("social NEAR/2 about", {1}),
        ('"social work" NEAR/3 relation*', {1}),
        ("social NEAR/2 about NEAR/2 work", {1}),
        ("NEAR/5 work", set()),  # nothing beside it: text
        ("work NEAR/5", set()),
        ("work near/5 about", set()),
        ("work NEAR about", {1}),  # ten words between, the default of FTS5
        ("social NEAR care", set()),
        ("NEAR work", set()),  # nothing beside it: text
        ("about AND (social OR leeds)", {1}),
        ("(social OR leeds) AND (café OR process)", {1, 4}),
        ("(the AND partnership) OR (care AND leeds)", {3, 4}),
        ("the AND(partnership OR cost)AND(per OR caseloads)", {3}),
        ("((social OR leeds) work OR cost) about OR family", {1, 2}),
        ("care -(leeds café)", set()),
        ("care -(leeds process)", {4}),
        ("the -(leeds OR café)", {3}),
        ("the NOT (leeds OR café)", {3}),
        ("care OR about -(social leeds)", {1, 4}),
        ("(the -leeds) OR (about -café)", {1, 3}),
        ("about (NOT leeds)", {1}),
        ("about (leeds -leeds) OR cost", {2}),
        ("(work OR leeds) NEAR/3 (café OR relationships)", {1, 4}),
        ("work NEAR/1(“is about” OR café)", {1}),
        ('("social work" OR café) (process OR leavers)', {1, 4}),
        ("(relat* OR caf*) the", set()),
        ("(relat* OR caf*) about", {1}),
        ("social (work is about) relationships", {1}),  # nothing to group
        ("social (work", {1}),
        ("social work)", {1}),
        ("social (work OR café", {1, 4}),  # not closed
        ("social () work (-) OR ( ) cost", {1, 2}),
        ("work (OR) about", {1}),
        ("C++ :) OR café (:", {2, 4}),
        ('"social (work) is"', {1}),
        ('"social (work) is" OR (café)', {1, 4}),
        ("(speaker:ann OR speaker:bob) work", {1}),
        ("speaker:ann work", {1}),
        ('speaker:"Ann Lee" feed:show question:3 work', {1}),
        ("question:three work", set()),
        ("speaker: work", set()),  # no filter value: text
        ("-leeds café OR work", {1}),
        ('"social\u200b wo\u00adrk\u2060 is"', {1}),  # what nobody sees splits no word
        ("rela\u00adtion\u00adship", {1}),
        ("\0", set()),
        ("“”", set()),
        ("", set()),
        ("😀", set()),
    ],
)
def test_means_what_was_meant(index: sqlite3.Connection, text: str, rows: set[int]) -> None:
    assert found(index, text) == rows


def test_only_quoted_text_of_several_words_is_a_phrase() -> None:
    (alternative,) = compile_query('“Care leavers’ café” Leeds "one"').alternatives
    assert [term.exact for term in alternative.terms] == [("care", "leavers", "cafe"), (), ()]
    assert not compile_query("care leavers").crosses


def test_what_narrows_down_is_no_text_to_look_for() -> None:
    query = compile_query('speaker:"Ann Lee" Feed:show QUESTION:3 front door')
    assert (query.speakers, query.feeds, query.questions) == (("Ann Lee",), ("show",), (3,))
    assert query.match == '(("front" AND "door"))'
    assert compile_query("speaker:ann").match == ""


@pytest.mark.parametrize(
    ("text", "remarks"),
    [
        ("door -speaker:ann -FEED:show", ["a speaker cannot", "a feed cannot"]),
        ("door NOT speaker:ann", ["a speaker cannot"]),
        ('door -"speaker:ann" -ann speaker:bob', []),
        (" ".join(["door"] * 60) + " feed:show", []),
        ('do* -ro* "a*"', ["asterisk has no meaning in quotes"]),
        ("door A* -b* OR x NEAR/3 y*", ["“A*” is searched for as a whole", "“b*” is searched", "“y*” is searched"]),
        (" ".join(["door"] * 62) + " -feed:show", ["first 60 of 63"]),
        ("(door OR gate) (in OR out) -(a b)", []),
        (" ".join(["(door OR gate)"] * 5), []),
        (" ".join(["(door OR gate)"] * 6), ["more than 32 searches"]),
        (" ".join(["(door OR gate)"] * 4) + " wall" * 7, ["or too long"]),
        ("-(a " * 10 + ")" * 10 + " door", ["or too long"]),
        (" OR ".join(["door"] * 25) + " OR (gate OR wall)", []),
        ("(" * 90 + "door OR gate" + ")" * 90 + " in", []),
        ("door (gate) " * 40 + "AND wall", ["first 60 of 81"]),
        ("door AND (gate OR wall", ["not closed"]),
        ("the door (in", []),
        ("(door gate) NEAR/5 wall", ["“NEAR/5” joins words"]),
        ("wall NEAR -(door OR gate)", ["“NEAR” joins words"]),
        ("(door OR gate) NEAR/5 wall", []),
        ("door -(speaker:ann OR gate)", ["a speaker cannot"]),
        ("(door speaker:ann) OR gate", ["“speaker:ann” applies to the whole"]),
        ("(feed:show OR feed:other) door", []),
        ("speaker:(ann OR bob) door", ["write speaker:ONE speaker:ANOTHER"]),
        ('speaker:"(unknown)" door', []),
        ('"early hel*" door', ["asterisk has no meaning in quotes"]),
        ('"4 * 5"', []),
        ("question:3-4", ["question:3"]),
        ("question: door", []),
        ("show:x before:2026-01-01 host:ann", ["write feed:", "--from and --to", "write speaker:"]),
        ('"show:x" show', []),
        ('"average caseloads', ["mark alone"]),
        ("“early help” (average caseloads”) „door", ["mark alone"]),
        ("(“early help”), »caseloads« ‘door’ the councils’ 'tis", []),
    ],
)
def test_what_cannot_be_done_is_remarked_on(text: str, remarks: list[str]) -> None:
    found = compile_query(text).remarks
    assert [said in remark for remark, said in zip(found, remarks, strict=True)] == [True] * len(remarks)


PIECES = (
    "OR",
    "AND",
    "NOT",
    "NEAR/5",
    "NEAR/0",
    "NEAR(",
    "NEAR",
    "(",
    ")",
    "-(",
    "NOT (",
    "speaker:",
    "question:",
    "question:2",
    "feed:x",
    "-",
    '"',
    "“",
    "”",
    "’",
    "'a'",
    "b*",
    "c",
)


@settings(max_examples=1_500)
@given(
    st.text(max_size=60)
    | st.text(alphabet="\"“”„«»‘’' -*ORANDNOTNEAR/5()^:+.a1é\0😀", max_size=40)
    | st.lists(st.sampled_from(PIECES), max_size=12).map(" ".join)
    | st.lists(st.sampled_from(PIECES), max_size=12).map("".join)
)
@example('" OR "')
@example('-"')
@example("*")
@example('a" OR "b')
@example("a NEAR/5 OR b")
@example("NOT OR NOT AND NOT")
@example("a NEAR/5 NOT b AND OR NOT speaker:c")
@example("a NEAR/5 -b NEAR/3 c")
@example("half\ud800a pair")
@example("-(a " * 8 + "NEAR/5 (b OR c)" + ")" * 8 + " d")
@example("(a OR " * 8 + "b" + ") c" * 8)
@example("(" * 2_000 + "a OR b" + ")" * 2_000)
def test_no_input_makes_sqlite_complain(index: sqlite3.Connection, text: str) -> None:
    query = compile_query(text)
    for match in (query.match, *(part for a in query.alternatives for part in (a.match, a.marks))):
        if match:
            index.execute("select count(*) from t where t match ?", [match]).fetchone()


WORDS = st.sampled_from(["social", "about", "the", '"well established"', "relat*", "leeds", "don't"])


@given(st.lists(st.tuples(st.booleans(), WORDS), min_size=1, max_size=6), st.data())
def test_and_and_not_mean_what_is_meant_without_them(
    index: sqlite3.Connection, typed: list[tuple[bool, str]], data: st.DataObject
) -> None:
    short = " ".join(f"{'-' * excluded}{word}" for excluded, word in typed)
    written = [f"{'NOT ' * excluded}{word}" for excluded, word in typed]
    joints = [data.draw(st.sampled_from([" ", " AND "])) for _ in written[1:]]
    long = written[0] + "".join(joint + one for joint, one in zip(joints, written[1:], strict=True))
    assert compile_query(long) == compile_query(short)
    assert found(index, long) == found(index, short)
    assert take_apart(long).besides == " ".join(
        one for (excluded, _), one in zip(typed, written, strict=True) if excluded
    )


LETTERS = "abcd"
WORD = st.sampled_from(LETTERS).map(lambda letter: (letter, lambda said: letter in said))
TREES = together(
    st.recursive(WORD, lambda inner: together(inner).map(lambda one: (f"({one[0]})", one[1])), max_leaves=9)
)


@pytest.fixture(scope="module")
def every() -> Iterator[sqlite3.Connection]:
    """Every set of letters, each in a row of its own."""
    connection = sqlite3.connect(":memory:", check_same_thread=False)
    connection.execute("create virtual table t using fts5(text, tokenize='porter unicode61 remove_diacritics 2')")
    said = (" ".join(letter for n, letter in enumerate(LETTERS) if row >> n & 1) for row in range(1 << len(LETTERS)))
    connection.executemany("insert into t (rowid, text) values (?, ?)", enumerate(said))
    yield connection
    connection.close()


@settings(max_examples=600, deadline=None)
@given(TREES)
def test_groups_find_what_a_plain_reading_finds(every: sqlite3.Connection, tree: tuple[str, Reading]) -> None:
    typed, reading = tree
    query = compile_query(typed)
    assume(not query.remarks)
    rows = {row: {letter for n, letter in enumerate(LETTERS) if row >> n & 1} for row in range(1 << len(LETTERS))}
    assert found(every, typed) == {row for row, said in rows.items() if reading(said)}
    apart = {
        row
        for one in query.alternatives
        for (row,) in every.execute("select rowid from t where t match ?", [one.match])
    }
    assert apart == found(every, typed)


@pytest.mark.parametrize(
    ("text", "words", "besides"),
    [
        ("caselods NEAR/5 down", "caselods down", ""),
        ("zebra OR -things Yak", "zebra yak", "-things"),
        ("zebra AND yak NOT things NOT speaker:ann", "zebra yak", "NOT things NOT speaker:ann"),
        (
            '"front door" speaker:"Ann Lee" -"back door" well-known',
            "front door well known",
            'speaker:"Ann Lee" -"back door"',
        ),
        ("feed:show question:3 question:x", "question x", "feed:show question:3"),
        ("buses (mall OR library) -(zebra yak) -things", "buses mall library", "-(zebra yak) -things"),
        ("(mall OR feed:show) NOT (yak -(a OR speaker:b)) x", "mall x", "feed:show NOT (yak -(a OR speaker:b))"),
        ("the council (in Leeds) said", "the council in leeds said", ""),
        ("don’t", "don t", ""),
        ("jobs -five million x 20 per cent", "jobs x 20 per cent", "-five million"),
        ("", "", ""),
    ],
)
def test_what_is_looked_for_is_told_from_what_narrows_it_down(text: str, words: str, besides: str) -> None:
    typed = take_apart(text)
    assert (" ".join(word for word, _, _ in typed.words), typed.besides) == (words, besides)


@given(st.text(alphabet="abé -\"“”*:'ORNEA/5speakr\u0301", max_size=40))
def test_words_stand_where_they_are_said_to(text: str) -> None:
    for word, begin, end in take_apart(text).words:
        assert word in {folded for folded, _, _ in folded_words(text[begin:end])}


def test_a_letter_that_folds_to_two_is_compared_as_the_index_compares_it(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "words.db") as connection:
        connection.execute("CREATE VIRTUAL TABLE said USING fts5(words, tokenize='unicode61 remove_diacritics 2')")
        for typed in ("Straße", "STRAẞE", "Łódź", "ΛΟΓΟΣ", "İstanbul", "Café"):
            connection.execute("DELETE FROM said")
            connection.execute("INSERT INTO said VALUES (?)", [typed])
            [(folded, _, _)] = folded_words(typed)
            assert connection.execute("SELECT count(*) FROM said WHERE said MATCH ?", [f'"{folded}"']).fetchone() == (
                1,
            )
