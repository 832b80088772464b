"""Helpers: reading all pages of a search, the quotable words of a text, and queries with what they should match."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from pipeline.archive.database import reader
from pipeline.archive.search import Filters, Results, search
from pipeline.archive.tokens import fold
from tests.support.building import add_feed, add_transcript, episode, new_archive, spoken


@contextmanager
def saying(path: Path, *said: str) -> Iterator[sqlite3.Connection]:
    """A new archive of one episode, in which these are said one after the other, opened for reading."""
    with new_archive(path) as db:
        (one,) = add_feed(db, "show", episode("one"))
        add_transcript(db, one, spoken(*said))
    with reader(path) as connection:
        yield connection


def pages(connection: sqlite3.Connection, query: str, filters: Filters = Filters(), **options: Any) -> list[Results]:  # noqa: B008 - frozen
    found = [search(connection, query, filters, **options)]
    while found[-1].next:
        found.append(search(connection, query, filters, page=found[-1].next, **options))
    return found


def quotable(text: str) -> list[str]:
    """The folded words of a text, computed independently of the program; a figure such as 2.6 or 12% is one word."""
    return re.findall(r"[^\W_]*[0-9](?:[.,](?=[0-9])|[^\W_])*%?|[^\W_]+", fold(text))


Reading = Callable[[set[str]], bool]


def written(parts: list[tuple[bool, tuple[str, Reading]]], joints: list[str]) -> tuple[str, Reading]:
    """Query parts side by side, some excluded: as typed, and a plain evaluation of what they should match."""
    typed, sides, left_out = "", [list[Reading]()], list[Reading]()
    for joint, (negative, (text, reading)) in zip(["", *joints], parts, strict=True):
        typed += joint + "-" * negative + text
        if joint == " OR ":
            sides.append([])
        (left_out if negative else sides[-1]).append(reading)

    def read(said: set[str]) -> bool:
        fits = any(side and all(reading(said) for reading in side) for side in sides)
        return fits and not any(reading(said) for reading in left_out)

    return typed, read


def together(inner: st.SearchStrategy[tuple[str, Reading]]) -> st.SearchStrategy[tuple[str, Reading]]:
    # A side with exclusions only restricts its surroundings; not modelled here.
    parts = st.lists(st.tuples(st.sampled_from([False, False, False, True]), inner), min_size=1, max_size=3)
    joints = st.lists(st.sampled_from([" ", " AND ", " OR "]), min_size=2, max_size=2)
    return st.builds(
        lambda parts, joints: written([(False, parts[0][1]), *parts[1:]], joints[: len(parts) - 1]), parts, joints
    )
