"""Words too common to be ranked: paging by date, without loss or repetition."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

import pytest

from pipeline.archive.database import reader, writer
from pipeline.archive.search import Filters, Order, search
from tests.support.building import add_feed, add_transcript, episode, spoken
from tests.support.searching import pages

OLD, NEW = "2026-01-01T00:00:00Z", "2026-03-01T00:00:00Z"


@pytest.fixture(scope="module")
def wordy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sqlite3.Connection]:
    """Thirty episodes, each of 200 segments with the same words: too many to rank."""
    path = tmp_path_factory.mktemp("wordy") / "a.db"
    with writer(path) as db:
        dated = [episode(str(n), published=f"2026-01-{n + 1:02}T00:00:00Z") for n in range(30)]
        for n, one in enumerate(add_feed(db, "show", *dated)):
            texts = ["the door"] * 199 + [f"the quiet door {n}"]
            add_transcript(db, one, spoken(*texts), sha256=f"{n:064}")
            db.execute("update segments set speaker = ? where episode = ? and n % 2", [f"Guest {n % 3}", one])
    with reader(path) as opened:
        yield opened


@pytest.mark.parametrize("query", ["door", '"the door"', "doo*"])
@pytest.mark.parametrize("order", ["newest", "oldest"])
def test_what_is_too_common_to_rank_is_paged_by_date_without_loss_or_repetition(
    wordy: sqlite3.Connection, query: str, order: Order
) -> None:
    found = pages(wordy, query, order=order, size=700)
    hits = [hit for page in found for hit in page.hits]
    expected = 30 * (200 if query != '"the door"' else 199)
    assert len(hits) == len({(hit.episode, hit.start) for hit in hits}) == expected
    dates = [hit.published or "" for hit in hits]
    assert dates == sorted(dates, reverse=order == "newest")
    assert [page.exact for page in found[:-1]] == [False] * (len(found) - 1)
    assert all(page.total <= expected for page in found)
    assert found[-1].total == expected


def test_too_common_words_come_newest_first_and_it_is_said(wordy: sqlite3.Connection) -> None:
    results = search(wordy, "door")
    assert (results.order, results.exact, results.total) == ("newest", False, 5000)
    assert {hit.published for hit in results.hits} == {"2026-01-30T00:00:00Z"}
    rare = search(wordy, "the quiet door")
    assert (rare.order, rare.exact, rare.total) == ("relevance", True, 30)


def test_too_common_words_are_narrowed_down_too(wordy: sqlite3.Connection) -> None:
    hits = [hit for page in pages(wordy, "door", Filters(speaker="Guest 1"), size=300) for hit in page.hits]
    assert len(hits) == 10 * 100
    assert {hit.speaker for hit in hits} == {"Guest 1"}
    assert search(wordy, "door", Filters(since="2026-01-30")).total == 21  # a lower bound: a page and one more
    assert search(wordy, "door", Filters(since="2027-01-01")).total == 0


def test_a_page_that_began_in_a_transcript_that_is_gone_goes_by_its_number(wordy: sqlite3.Connection) -> None:
    second = search(wordy, "door", page=2)
    assert search(wordy, "door", page="2-99999999-0").hits == second.hits
    assert search(wordy, '"the door"', page="2-99999999-0").hits == search(wordy, '"the door"', page=2).hits
