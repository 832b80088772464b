"""Sums of money: found by their sign or in words, and in no other currency."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

import pytest

from pipeline.archive.search import search
from pipeline.archive.search.instead import instead
from pipeline.archive.search.query import compile_query
from tests.support.searching import saying

SAID = (
    *("It cost £5 million a year.", "Others had $5 million a year.", "We asked for five million pounds a year."),
    *("They got five million dollars a year.", "Some 5 million a year came.", "It is €5m a year.", "US$5m, he says."),
    *("A meal is £5 there.", "A meal was $5 then.", "And five pounds more.", "All of 5 US dollars.", "In 5 homes."),
    *("Bread is £13.60 now.", "Bread was $13.60 then.", "Some 13.60 euros!"),
)


@pytest.fixture(scope="module")
def connection(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sqlite3.Connection]:
    path = tmp_path_factory.mktemp("money") / "a.db"
    with saying(path, *SAID) as opened:
        yield opened


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("5 million", [0, 1, 2, 3, 4, 5, 6]),
        ("£5 million", [0, 2, 4]),
        ("£5m", [0, 2, 4]),
        ("$5 million", [1, 3, 4, 6]),
        ("five million pounds", [0, 2]),
        ("5 million pounds a year", [0, 2]),
        ("five million dollars", [1, 3, 6]),
        ("€5 million", [4, 5]),
        ('"£5 million"', [0, 2, 4]),
        ('"£5 million a year"', [0, 4]),
        ('"five million pounds"', [2]),
        ('"cost $5 million"', []),
        ('"5 million a year"', [0, 1, 4, 5]),
        ("£5", [7, 9, 11]),
        ('"£5"', [7, 11]),
        ("5 pounds", [7, 9]),
        ("five dollars", [8]),
        ("(£5) meal", [7]),
        ("meal -$5", [7]),
        ("£13.60", [12]),
        ("13.60 euros?", [14]),
        ('bread -"£13.60"', [13]),
        ("meal NEAR/3 £5", [7]),
    ],
)
def test_a_sum_is_found_in_its_currency(connection: sqlite3.Connection, typed: str, found: list[int]) -> None:
    hits = search(connection, typed).hits
    assert sorted(SAID.index(hit.text) for hit in hits) == found
    assert all("<mark>" in hit.html for hit in hits)


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ('"meal was £5 then"', "meal was [£5] {$5} then"),
        ('"bread is $13.60 now"', "Bread is [$13.60] {£13.60} now"),
        ('"others had £5 million a month"', "Others had [£5 million] {$5 million} a [month] {year}"),
        ('"a meal is 5 now"', "A meal is £5 [now] {there}"),
    ],
)
def test_a_sum_in_another_currency_differs_from_a_quotation(
    connection: sqlite3.Connection, typed: str, shown: str
) -> None:
    query = compile_query(typed)
    assert not search(connection, query).hits
    assert instead(connection, query).nearly[0].shown == shown
