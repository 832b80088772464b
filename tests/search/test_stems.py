"""Prefix search in an index of stems, compared with the words as written."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.archive.search.query import compile_query
from pipeline.archive.search.stems import is_cut, word_with_stem

ROOTS = (
    *("inspect", "supervis", "organis", "pay", "key", "play", "happ", "hop", "hopp", "go", "be", "care", "tr"),
    *("possib", "respons", "profession", "charact", "control", "creat", "relat", "gener", "univers", "technolog"),
    *("teach", "school", "lead", "safe", "agree", "the", "add", "plan", "stor", "currenc", "journal"),
)
ENDINGS = (
    *(
        "",
        "s",
        "e",
        "es",
        "ed",
        "ing",
        "ings",
        "er",
        "ers",
        "or",
        "y",
        "ies",
        "ily",
        "ly",
        "ely",
        "ment",
        "ments",
    ),
    *("ion", "ions", "ional", "ation", "ations", "able", "ably", "ability", "abilities", "al", "ally", "ality", "ful"),
    *("fully", "fulness", "ness", "less", "ance", "ence", "ant", "ent", "ency", "ive", "ively", "ivity", "ize", "ized"),
    *("ization", "ism", "ist", "ic", "ical", "ity", "ous", "ously", "roll", "word", "ground", "ever", "self", "d"),
)
WORDS = sorted({root + ending for root, ending in product(ROOTS, ENDINGS)})


def index(texts: list[str]) -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:")
    connection.execute("create virtual table t using fts5(text, tokenize='porter unicode61 remove_diacritics 2')")
    connection.execute("create virtual table stems using fts5vocab(t, 'instance')")
    connection.executemany("insert into t (rowid, text) values (?, ?)", enumerate(texts))
    return connection


@pytest.fixture(scope="module")
def found() -> Iterator[Callable[[str], set[str]]]:
    connection = index(WORDS)
    yield lambda match: {
        WORDS[row] for (row,) in connection.execute("select rowid from t where t match ?", [match or '""']).fetchall()
    }
    connection.close()


def test_words_are_found_by_each_of_their_beginnings(found: Callable[[str], set[str]]) -> None:
    for beginning in {word[:length] for word in WORDS for length in range(3, len(word) + 1)}:
        wanted = {word for word in WORDS if word.startswith(beginning)}
        query = compile_query(f"{beginning}*")
        assert wanted - found(query.match) == set(), beginning
        assert found(query.surely) <= wanted, beginning


@pytest.mark.parametrize(
    ("beginning", "word"),
    [("pay*", "payroll"), ("organisa*", "organisation"), ("goin*", "going"), ("Hopi*", "hoping"), ("PAYR*", "payroll")],
)
def test_a_beginning_that_the_stemmer_would_change_is_looked_for_as_it_is(
    found: Callable[[str], set[str]], beginning: str, word: str
) -> None:
    assert word in found(compile_query(beginning).match)


def test_a_common_word_that_is_no_stem_of_what_begins_so_is_not_looked_through(
    found: Callable[[str], set[str]],
) -> None:
    assert {"the", "thed"} & found(compile_query("theword*").match) == set()


@settings(max_examples=300, deadline=None)
@given(st.lists(st.text(alphabet="aeiouybdlnstxwé", min_size=1, max_size=9), min_size=1, max_size=40, unique=True))
def test_a_word_is_known_for_each_stem(stems: list[str]) -> None:
    connection = index([word_with_stem(stem) for stem in stems])
    for found, row in connection.execute("select term, doc from stems").fetchall():
        plain = stems[row].replace("é", "e")
        assert found == plain or (is_cut(plain) and found == plain[:-1])
    connection.close()
