"""A bar chart of the number of episodes with hits over time. Pure functions; ``archive_chart.html`` draws it."""

from __future__ import annotations

import calendar
import datetime
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

MONTHS = 48  # the most that are shown one by one; a longer time is shown by years
YEARS = 100  # only the last ones are shown: a feed may claim the year 1


@dataclass(frozen=True, slots=True)
class Bar:
    """A month or a year; ``since`` and ``until`` are its first and last day, ``height`` is 0..100."""

    name: str
    since: str
    until: str
    count: int
    height: int


@dataclass(frozen=True, slots=True)
class Chart:
    """Consecutive bars, from the first period with a hit to the last."""

    bars: tuple[Bar, ...]

    @property
    def total(self) -> int:
        """Return the number of episodes."""
        return sum(bar.count for bar in self.bars)

    @property
    def most(self) -> Bar | None:
        """Return the highest bar; None if several are equally high."""
        highest = max(bar.count for bar in self.bars)
        first, *others = (bar for bar in self.bars if bar.count == highest)
        return None if others else first


def chart(counts: Iterable[tuple[str, int]]) -> Chart | None:
    """Build the chart from numbers of episodes by month.

    Args:
        counts: pairs of a month, as ``2026-05``, and a number, in any order. Invalid months are skipped.

    Returns:
        None if there are fewer than two months.
    """
    months: Counter[int] = Counter()
    for period, count in counts:
        at = _month(period)
        if at is not None:
            months[at] += count
    if len(months) < 2:
        return None
    first, last = min(months), max(months)
    if last - first < MONTHS:
        periods = [(at, at, months[at]) for at in range(first, last + 1)]
    else:
        years: Counter[int] = Counter()
        for at, count in months.items():
            years[at // 12] += count
        periods = [
            (12 * year, 12 * year + 11, years[year])
            for year in range(max(first // 12, last // 12 - YEARS + 1), last // 12 + 1)
        ]
    most = max(count for _, _, count in periods) or 1
    return Chart(tuple(_bar(since, until, count, most) for since, until, count in periods))


def _bar(since: int, until: int, count: int, most: int) -> Bar:
    first = datetime.date(since // 12, since % 12 + 1, 1)
    days = calendar.monthrange(until // 12, until % 12 + 1)[1]
    last = datetime.date(until // 12, until % 12 + 1, days)
    name = f"{first:%B} {first.year}" if since == until else str(first.year)
    return Bar(name, first.isoformat(), last.isoformat(), count, round(100 * count / most))


def _month(period: str) -> int | None:
    """The number of months since the year 0 of a month such as ``2026-05``."""
    try:
        day = datetime.date.fromisoformat(f"{period[:7]}-01")
    except ValueError:
        return None
    return 12 * day.year + day.month - 1
