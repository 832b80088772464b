"""What is remembered of a feed between polls, and what follows: whether to ask, where, and on which conditions.

Decides only: no database, no network, no clock.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Literal

from pipeline.model import Validators
from pipeline.net.courtesy import retry_after
from pipeline.net.urls import has_login, shown

# Servers exist that say "unchanged" for ever, and an item behind the first page may change without that one.
FULL_FETCH_EVERY = timedelta(days=30)
LONGEST_WAIT = timedelta(days=7)  # whatever Retry-After says: a slip of the server must not end a show
GONE_WAIT = timedelta(days=30)  # 410 means for good, and is sometimes said by mistake


@dataclass(frozen=True, slots=True)
class Move:
    """A feed's new address, which is None where its server says that it is gone for good."""

    was: str
    became: str | None
    how: Literal["redirect", "new-feed-url", "gone"]


@dataclass(frozen=True, slots=True)
class Memory:
    """What earlier polls of a feed left; moments are UTC ISO 8601.

    ``feed_url`` is where it was read last, ``validators`` and ``parser_version`` are of that; ``moves`` leads from
    old addresses to new ones. Addresses are as they may be shown.
    """

    feed_url: str | None = None
    validators: Validators = field(default_factory=Validators)
    parser_version: int | None = None
    last_status: str | None = None
    retry_at: str | None = None
    fully_fetched: str | None = None
    moves: Mapping[str, str] = field(default_factory=dict)

    def address(self, configured: str) -> str:
        """Return where the feed is now, by all moves that are known; the configured address where they go in a ring.

        A password is for the address that has it: it is asked there, and sent on each time.
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
        """Return the validators to send: none where all of the feed is wanted again."""
        fits = (self.feed_url, self.parser_version) == (shown(address), parser_version)
        if not fits or self.fully_fetched is None:
            return Validators()
        ago = _moment(now) - _moment(self.fully_fetched)
        return self.validators if timedelta() <= ago < FULL_FETCH_EVERY else Validators()  # a clock may be put back

    @property
    def has_failed(self) -> bool:
        """Tell whether the last poll could not read the feed."""
        return self.last_status not in {None, "ok", "unchanged"}

    def waits(self, now: str) -> bool:
        """Tell whether the server does not want to be asked yet.

        Nobody is left alone for longer than ``GONE_WAIT``: a clock that was ahead when that was noted says otherwise.
        """
        return self.retry_at is not None and now < self.retry_at <= after(now, GONE_WAIT)


def retry_at(header: str | None, now: str) -> str | None:
    """Return the moment that a Retry-After header (RFC 9110, section 10.2.3) names; None where it names none."""
    wait = timedelta(seconds=retry_after(header, _moment(now)))
    return after(now, min(wait, LONGEST_WAIT)) if wait else None


def after(now: str, wait: timedelta) -> str:
    """Return the moment some time after another."""
    return (_moment(now) + wait).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
