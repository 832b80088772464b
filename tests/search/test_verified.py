"""What only the text can tell, not the index of stems: beside NEAR, exclusions and quotations, as alone."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from pipeline.archive.database import reader
from pipeline.archive.search import Filters, search
from pipeline.archive.search.facets import facets
from pipeline.archive.search.query import compile_query
from tests.support.building import add_feed, add_transcript, episode, new_archive, spoken
from tests.support.searching import Reading, pages, saying, together

SAID = (
    *(
        "There was help with inspect rules.",
        "We have help of 1.4 million pounds there.",
        "Help for councils everywhere.",
    ),
    *("Help for twenty-four children.", "Help with inspections, for 4 children.", "Help for the council home."),
)


@pytest.fixture(scope="module")
def connection(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sqlite3.Connection]:
    path = tmp_path_factory.mktemp("verified") / "a.db"
    with saying(path, *SAID) as opened:
        yield opened


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("help -4", [0, 1, 2, 3, 5]),
        ("help -four", [0, 1, 2, 3, 5]),
        ("help -inspecti*", [0, 1, 2, 3, 5]),
        ('help -"council"', [0, 1, 2, 3, 4]),
        ('help -"councils home"', [0, 1, 2, 3, 4, 5]),
        ('help -"council home"', [0, 1, 2, 3, 4]),
        ("help -(inspect -4)", [1, 2, 3, 4, 5]),
        ('help -(rules OR 4 OR "council")', [1, 2, 3]),
        ("help -(inspecti* 4)", [0, 1, 2, 3, 5]),
        ("help -(inspecti* children rules)", [0, 1, 2, 3, 4, 5]),
        ("help -(4 NEAR/2 million)", [0, 1, 2, 3, 4, 5]),
        ("help -(4 NEAR/2 children)", [0, 1, 2, 3, 5]),
        ('(help -4) OR "council"', [0, 1, 2, 3, 5]),
        ("(4 -council) OR (rules -4)", [0, 4]),
        ("4 -inspecti*", []),
        ("4 NEAR/3 million", []),
        ("4 NEAR/3 children", [4]),
        ('"council" NEAR/3 everywhere', []),
        ('"council" NEAR/3 home', [5]),
        ('"the councils" NEAR/3 home', []),
        ("inspecti* NEAR/3 4", [4]),
        ("inspecti* NEAR/3 rules", []),
        ("(inspecti* OR 24) NEAR/2 children", [3, 4]),
    ],
)
def test_what_the_text_has_to_tell_is_verified(connection: sqlite3.Connection, typed: str, found: list[int]) -> None:
    hits = search(connection, typed).hits
    assert [n for n, text in enumerate(SAID) if any(text in hit.text for hit in hits)] == found
    assert all("<mark>" in hit.html for hit in hits)


def test_no_part_of_a_number_is_marked(tmp_path: Path) -> None:
    with new_archive(tmp_path / "a.db") as db:
        (one,) = add_feed(db, "show", episode("one"))
        add_transcript(
            db, one, spoken("Of 1.4 million 4 got 4% more, twenty-four none.", "Two cafe\u0301s, and a café.")
        )
    with reader(tmp_path / "a.db") as connection:
        (hit,) = search(connection, "4").hits
        assert hit.html == "Of 1.4 million <mark>4</mark> got <mark>4</mark>% more, twenty-four none."
        (hit,) = search(connection, "caf*").hits
        assert hit.html == "Two <mark>cafe\u0301s</mark>, and a <mark>café</mark>."


def test_an_exclusion_beside_a_filter_leaves_out_only_what_is_typed(connection: sqlite3.Connection) -> None:
    for typed, left in (("feed:show -4", [0, 1, 2, 3, 5]), ('feed:show -"council"', [0, 1, 2, 3, 4])):
        assert [SAID.index(hit.text) for hit in search(connection, typed).hits] == left
        assert facets(connection, compile_query(typed), Filters()).counted == len(left)


WORDS: dict[str, tuple[str, ...]] = {
    "help": ("help",),
    "4": ("4", "four"),
    '"council"': ("council",),
    "inspecti*": ("inspection",),
    '"calm council"': ("calm council",),
    "inspect": ("inspect", "inspection"),
}
PARTS = ("help", "1.4", "four", "council", "councils", "inspect", "inspection", "calm councils", "calm council")


def atom(typed: str) -> tuple[str, Reading]:
    return typed, lambda said: any(
        one == form or (form == "council" and one.endswith(" council")) for form in WORDS[typed] for one in said
    )


TREES = together(
    st.recursive(
        st.sampled_from(sorted(WORDS)).map(atom),
        lambda inner: together(inner).map(lambda one: (f"({one[0]})", one[1])),
        max_leaves=6,
    )
)


@pytest.fixture(scope="module")
def every(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[sqlite3.Connection, dict[str, set[str]]]]:
    """Sets of words, each said in an episode of its own, which has a quotation as well."""
    path = tmp_path_factory.mktemp("every") / "a.db"
    said = [{part for n, part in enumerate(PARTS) if row >> n & 1} for row in range(0, 1 << len(PARTS), 3)]
    with new_archive(path) as db:
        episodes = add_feed(db, "show", *(episode(str(n)) for n in range(len(said))))
        for n, (one, words) in enumerate(zip(episodes, said, strict=True)):
            lines = spoken("; ".join(["then", *sorted(words)]), "We are on site.")
            add_transcript(db, one, lines, sha256=f"{n:064}")
    with reader(path) as opened:
        yield opened, dict(zip(episodes, said, strict=True))


@settings(max_examples=150, deadline=None)
@given(TREES)
@example(("help -(4 -4)", lambda said: "help" in said))
def test_groups_and_exclusions_find_what_a_plain_reading_finds(
    every: tuple[sqlite3.Connection, dict[str, set[str]]], tree: tuple[str, Reading]
) -> None:
    (connection, episodes), (typed, reading) = every, tree
    assume(not compile_query(typed).remarks)
    wanted = {one for one, said in episodes.items() if reading(said)}
    for other in ['"on site"', *(["then"] if not compile_query(typed).crosses else [])]:
        found = pages(connection, f"{other} AND ({typed})", size=500)
        assert {hit.episode for page in found for hit in page.hits} == wanted


def test_nothing_is_looked_for_where_an_excluded_word_is_said(tmp_path: Path) -> None:
    with saying(tmp_path / "a.db", *["Of the house, and of the door."] * 300) as connection:
        asked = list[str]()
        connection.set_trace_callback(asked.append)
        assert not search(connection, '"of the" -"and"').hits
        assert len(asked) < 20  # and none of them for one of the 600 places


def test_words_near_each_other_are_found_quickly_in_hours_of_talk(tmp_path: Path) -> None:
    with new_archive(tmp_path / "a.db") as db:
        (one,) = add_feed(db, "show", episode("one"))
        add_transcript(
            db,
            one,
            spoken(
                "Quiet, please, they say.",
                *["All of the doors and of the windows."] * 3_000,
                "They say to us: quiet of old.",
            ),
        )
    with reader(tmp_path / "a.db") as connection:
        began = time.process_time()
        (hit,) = search(connection, "of NEAR/3 quiet").hits
        assert time.process_time() - began < 3  # seconds, of which it takes a tenth
    assert hit.html == "They say to us: <mark>quiet of</mark> old."
