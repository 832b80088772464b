"""A feed's state between polls, and the decisions based on it: whether to fetch, where, and with which validators.

Pure decisions: no database, no network, no clock.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Literal

from pipeline.model import Validators
from pipeline.net.courtesy import retry_after
from pipeline.net.urls import has_login, shown

# Some servers answer "unchanged" forever, and an item on a later page may change while the first page does not.
FULL_FETCH_EVERY = timedelta(days=30)
LONGEST_WAIT = timedelta(days=7)  # upper bound for Retry-After: a server's mistake must not end a show
GONE_WAIT = timedelta(days=30)  # 410 is meant to be permanent, but is sometimes sent by mistake


@dataclass(frozen=True, slots=True)
class Move:
    """A feed's move to a new address; ``became`` is None if the server says that the feed is gone for good."""

    was: str
    became: str | None
    how: Literal["redirect", "new-feed-url", "gone"]


@dataclass(frozen=True, slots=True)
class Memory:
    """What earlier polls of a feed stored; moments are UTC ISO 8601.

    ``feed_url`` is where it was last read; ``validators`` and ``parser_version`` belong to that. ``moves`` maps old
    addresses to new ones. ``gone_page`` is the page of the feed that was not there. Addresses contain no secrets.
    """

    feed_url: str | None = None
    validators: Validators = field(default_factory=Validators)
    parser_version: int | None = None
    last_status: str | None = None
    retry_at: str | None = None
    fully_fetched: str | None = None
    gone_page: str | None = None
    moves: Mapping[str, str] = field(default_factory=dict)

    def address(self, configured: str) -> str:
        """Return the feed's current address, following all known moves; the configured address if these form a cycle.

        An address with a login is always used as configured, so that the login is sent only there, and redirects are
        followed again each time.
        """
        if has_login(configured):
            return configured
        seen = [configured]
        while (following := self.moves.get(shown(seen[-1]))) is not None:
            if following in seen:
                return configured
            seen.append(following)
        return seen[-1]

    def conditions(self, address: str, *, parser_version: int, now: str) -> Validators:
        """Return the validators to send: none if a full fetch is due."""
        fits = (self.feed_url, self.parser_version) == (shown(address), parser_version)
        if not fits or self.fully_fetched is None:
            return Validators()
        ago = _moment(now) - _moment(self.fully_fetched)
        return self.validators if timedelta() <= ago < FULL_FETCH_EVERY else Validators()  # the clock may be set back

    @property
    def has_failed(self) -> bool:
        """Tell whether the last poll failed to read the feed."""
        return self.last_status not in {None, "ok", "unchanged"}

    def waits(self, now: str) -> bool:
        """Tell whether the server asked to wait longer.

        A wait of more than ``GONE_WAIT`` is ignored: it can only have been stored while the clock was ahead.
        """
        return self.retry_at is not None and now < self.retry_at <= after(now, GONE_WAIT)


def retry_at(header: str | None, now: str) -> str | None:
    """Return the moment given by a Retry-After header (RFC 9110, section 10.2.3); None if absent or invalid.

    It is at most ``LONGEST_WAIT`` ahead.
    """
    wait = timedelta(seconds=retry_after(header, _moment(now)))
    return after(now, min(wait, LONGEST_WAIT)) if wait else None


def after(now: str, wait: timedelta) -> str:
    """Return the moment ``wait`` after ``now``, as UTC ISO 8601."""
    return (_moment(now) + wait).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
