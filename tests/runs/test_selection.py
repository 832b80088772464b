"""Which episodes a run processes, and the reasons given for skipped ones."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pipeline.config import Feed
from pipeline.model import Episode
from pipeline.runs.selection import Selection, selected


def feed(limit: int | None = None) -> Feed:
    return Feed(slug="show", title="Show", url="https://example.org/feed.xml", limit=limit)


def listed(*days: str | None) -> list[Episode]:
    return [Episode(f"show/{n}", "show", "An episode", None, day and f"{day}T06:00:00Z") for n, day in enumerate(days)]


EPISODES = listed("2026-03-02", "2026-03-01", "2026-02-28", None)


def left_out(selection: Selection, limit: int | None = None) -> list[str | None]:
    return [reason for _, reason in selected(EPISODES, feed(limit), selection)]


def test_without_any_wish_all_are_wanted() -> None:
    assert left_out(Selection()) == [None] * 4


def test_the_newest_so_many_of_the_feed_and_of_the_run_whichever_are_fewer() -> None:
    assert left_out(Selection(limit=3), limit=1)[:3] == [None, *["beyond the newest 1 (limit in feeds.yaml)"] * 2]
    assert left_out(Selection(limit=1), limit=3)[:3] == [None, *["beyond the newest 1 (--limit)"] * 2]


def test_those_published_on_a_day_or_later() -> None:
    before = "published before 2026-03-01 (--since)"
    assert left_out(Selection(since="2026-03-01")) == [None, None, before, "has no date (--since)"]


def test_an_episode_alone_keeps_its_place_among_all() -> None:
    assert [one.id for one, _ in selected(EPISODES, feed(), Selection("show/2"))] == ["show/2"]
    ((_, reason),) = selected(EPISODES, feed(), Selection("show/2", limit=2))
    assert reason == "beyond the newest 2 (--limit)"
    assert Selection("show/2").names(feed())
    assert not Selection("shop").names(feed())


@given(
    days=st.lists(st.none() | st.dates().map(str), max_size=8),
    limit=st.none() | st.integers(1, 9),
    more=st.none() | st.integers(1, 9),
    since=st.none() | st.dates().map(str),
)
def test_a_narrower_wish_never_lets_in_more(
    days: list[str | None], limit: int | None, more: int | None, since: str | None
) -> None:
    episodes = listed(*days)
    wide = [one for one, reason in selected(episodes, feed(limit), Selection()) if reason is None]
    narrow = [one for one, reason in selected(episodes, feed(limit), Selection(None, since, more)) if reason is None]
    assert set(narrow) <= set(wide)
    assert len(narrow) <= min(len(days), limit or 9, more or 9)
    assert all(since is None or (one.published or "")[:10] >= since for one in narrow)
