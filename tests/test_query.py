"""The query compiler: what people paste never makes SQLite complain, and means what they meant."""

from __future__ import annotations

import sqlite3

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipeline.archive.query import compile_query

TEXTS = {
    1: "Social work is about relationships, not about process.",
    2: "We don't use C++ and it cost £13.60 per family.",
    3: "The well-established partnership manages caseloads carefully.",
    4: "A café in Leeds welcomed care leavers.",
}


@pytest.fixture(scope="module")
def index() -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:", check_same_thread=False)
    connection.execute("create virtual table t using fts5(text, tokenize='porter unicode61 remove_diacritics 2')")
    connection.executemany("insert into t (rowid, text) values (?, ?)", TEXTS.items())
    yield connection
    connection.close()


def found(index: sqlite3.Connection, text: str) -> set[int]:
    match = compile_query(text).match
    return {row[0] for row in index.execute("select rowid from t where t match ?", [match])} if match else set()


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("relationship", {1}),  # stemmed
        ("manageable caseload", {3}),
        ("manageable caseload leeds", set()),
        ('"social work is"', {1}),
        ("“social work is”", {1}),
        ("«social work is»", {1}),
        ('"work social"', set()),
        ("relat*", {1}),
        ("about -process", set()),
        ("about OR caseloads", {1, 3}),
        ("about or caseloads", set()),  # only OR in capitals is an operator
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
        ("social AND", set()),
        ("text:social", set()),
        ("NEAR(social work)", set()),
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


@settings(max_examples=2000, deadline=None)
@given(st.text(max_size=60) | st.text(alphabet='"“”„«» -*ORANDNEAR()^:+.a1é\0', max_size=40))
@example('" OR "')
@example('-"')
@example("*")
@example('a" OR "b')
def test_no_input_makes_sqlite_complain(index: sqlite3.Connection, text: str) -> None:
    query = compile_query(text)
    for match in (query.match, *(part for a in query.alternatives for part in (a.match, a.marks))):
        if match:
            index.execute("select count(*) from t where t match ?", [match]).fetchone()
