"""Visiting one feed: its current address, all of its pages, and whether it moved. Stores nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import httpx

from pipeline.errors import FeedError, FeedUnreachableError
from pipeline.feeds import private
from pipeline.feeds.fetch import FeedBody, Unchanged, fetch, resolve
from pipeline.feeds.identity import place_of
from pipeline.feeds.memory import Memory, Move
from pipeline.feeds.paging import all_pages, read_page
from pipeline.feeds.parse import PARSER_VERSION, parse_feed
from pipeline.model import FeedEpisode, ParsedFeed, Validators
from pipeline.net.urls import concealed, host, scheme, shown, tokens, variables

_MAX_MOVES = 5
_Read = tuple[FeedBody, ParsedFeed]


@dataclass(frozen=True, slots=True)
class Listing:
    """All pages of a feed at one address.

    If a page is missing, it is not ``is_whole``, and has no ``validators``, so that it is fetched again; ``gone_page``
    is the address of that page, if its server says that it is not there.
    """

    address: str
    bodies: tuple[bytes, ...]
    episodes: tuple[FeedEpisode, ...]
    podcast_guid: str | None
    validators: Validators
    is_whole: bool = True
    gone_page: str | None = None


@dataclass(frozen=True, slots=True)
class FeedVisit:
    """The result of a visit: the feed's listings, from the old address to the new one if it moved; empty if unchanged.

    ``address`` is the feed's current address; in all texts here secrets are replaced by their names. ``is_moving``
    tells that the feed announces a move to an address that could not be read yet. ``led_to`` is the URL that redirects
    of any kind led to, if there were any.
    """

    address: str
    listings: tuple[Listing, ...]
    validators: Validators
    moves: tuple[Move, ...] = ()
    warnings: tuple[str, ...] = ()
    is_moving: bool = False
    led_to: str | None = None


@dataclass(frozen=True, slots=True)
class Asking:
    """A request to visit a feed: ``url`` as in feeds.yaml, the ``folder`` of that file, ``now`` as the time.

    With ``again`` the memory is ignored. ``environ`` has the secrets that ``url`` names; the client fills them in.
    """

    url: str
    folder: Path
    memory: Memory
    now: str
    environ: Mapping[str, str]
    again: bool = False


def visit(asking: Asking, client: httpx.Client) -> FeedVisit:
    """Read a feed at its current address, following its pages and moves.

    A move by ``itunes:new-feed-url`` is accepted if the feed at the new address has something in common with this one.

    Raises:
        FeedError: it could not be read; the message contains no secrets.
    """
    secrets = {name: asking.environ[name] for name in variables(asking.url) if name in asking.environ}
    try:
        return _Visitor(asking, client, secrets).visit()
    except FeedError as error:
        error.args = tuple(shown(concealed(str(part), secrets)) for part in error.args)
        raise


class _Visitor:
    """One visit; collects ``_warnings`` and ``_moves`` on the way."""

    def __init__(self, asking: Asking, client: httpx.Client, secrets: Mapping[str, str]) -> None:
        self._asking = asking
        self._memory = Memory() if asking.again else asking.memory
        self._client = client
        self._secrets = secrets
        self._warnings: list[str] = []
        self._moves: list[Move] = []
        self._is_moving = False

    def visit(self) -> FeedVisit:
        address, read = self._first()
        listings: list[Listing] = []
        led_to = None
        if isinstance(read, Unchanged):
            validators = read.validators
        else:
            body, parsed = read
            if _bare(self._hide(body.base)) != _bare(address):
                led_to = shown(self._hide(body.base))
            if body.moved_to and self._is_move(address, body.moved_to, allowed=self._own_variables(body.moved_to)):
                address = self._move(address, body.moved_to, "redirect")
            listings = self._listings(address, body, parsed)
            address, validators = listings[-1].address, listings[-1].validators
        warnings = tuple(self._hide(warning) for warning in self._warnings)
        return FeedVisit(
            shown(address), tuple(listings), validators, tuple(self._moves), warnings, self._is_moving, led_to
        )

    def _first(self) -> tuple[str, Unchanged | _Read]:
        """The feed's first page, from its current address; if that fails permanently, from the configured one."""
        configured = self._configured()
        address = self._memory.address(configured)
        if address != configured:
            try:
                return address, self._read(address)
            except FeedError as error:
                if isinstance(error, FeedUnreachableError) and not self._is_lasting(address, error):
                    raise
                self._warnings.append(
                    f"it had moved to {address}, but is no longer there ({error}): {configured} was used"
                )
        return configured, self._read(configured)

    def _is_lasting(self, address: str, error: FeedUnreachableError) -> bool:
        """Tell whether an address failed at the last poll too: redirects to expiring addresses are not real moves."""
        return error.retry_after is None and (self._memory.has_failed or self._memory.feed_url != address)

    def _configured(self) -> str:
        try:
            return resolve(self._asking.url, self._asking.folder, self._client)
        except FeedUnreachableError as error:  # Apple's directory
            if self._memory.feed_url is None:
                raise
            self._warnings.append(f"{error} The address that it gave before was used.")
            return self._memory.feed_url

    def _read(self, address: str) -> Unchanged | _Read:
        conditions = self._memory.conditions(address, parser_version=PARSER_VERSION, now=self._asking.now)
        body = fetch(address, self._client, conditions)
        return body if isinstance(body, Unchanged) else (body, parse_feed(body))

    def _listings(self, address: str, body: FeedBody, parsed: ParsedFeed) -> list[Listing]:
        """The feed's listing, and those at the addresses it says it moved to."""
        found = [self._listing(address, body, parsed)]
        while (said := parsed.new_feed_url) and len(found) <= _MAX_MOVES and self._is_move(address, said):
            if _bare(self._hide(said)) == _bare(address):
                break  # the feed's own address, as most feeds give
            try:
                body, parsed = read_page(said, self._client)
            except FeedError as error:
                self._warnings.append(f"it says that it moves to {said}, but no feed can be read there yet ({error})")
                self._is_moving = True
                break
            listing = self._listing(self._hide(said), body, parsed)
            if not _has_something_of(listing, found[-1]):
                self._warnings.append(f"it says that it moves to {said}, but that is another feed: not followed")
                break
            address = self._move(address, said, "new-feed-url")
            found.append(listing)
        return found

    def _listing(self, address: str, body: FeedBody, parsed: ParsedFeed) -> Listing:
        pages = all_pages(body, parsed, self._client)
        self._warnings += [*pages.warnings, *([pages.missing] if pages.missing else [])]
        validators = Validators() if pages.missing else body.validators
        bodies, episodes = pages.bodies, pages.episodes
        if secrets := tokens(self._secrets):
            own_host = host(self._asking.url)
            bodies = tuple(private.body_without_secrets(one, secrets) for one in bodies)
            episodes = tuple(private.without_secrets(one, secrets, own_host=own_host) for one in episodes)
            if any(private.exposed(one, secrets) for one in episodes):
                self._warnings.append("it has its secret in audio addresses at another host, which are stored as is")
        gone = shown(self._hide(pages.gone)) if pages.gone else None
        return Listing(address, bodies, episodes, parsed.podcast_guid, validators, pages.missing is None, gone)

    def _move(self, was: str, became: str, how: Literal["redirect", "new-feed-url"]) -> str:
        address = self._hide(became)
        self._moves.append(Move(shown(was), address, how))
        return address

    def _own_variables(self, address: str) -> frozenset[str]:
        """The secrets that the client itself fills in, if a redirect repeats them at the feed's own host."""
        return frozenset(self._secrets) if host(address) == host(self._asking.url) else frozenset()

    def _is_move(self, address: str, became: str, *, allowed: frozenset[str] = frozenset()) -> bool:
        """Tell whether an address is a different one that may be requested and stored: it must not ask for secrets."""
        if self._hide(became) in {address, *(move.was for move in self._moves)}:
            return False
        if variables(became) - allowed or shown(became) != became:
            return False
        return {scheme(address), scheme(became)} <= {"http", "https"}

    def _hide(self, text: str) -> str:
        return concealed(text, self._secrets)


def _bare(address: str) -> str:
    """An address without scheme, login and final slash, which do not make it a different feed."""
    return shown(address).partition("://")[2].removeprefix("***@").rstrip("/")


def _has_something_of(new: Listing, old: Listing) -> bool:
    if new.podcast_guid is not None and new.podcast_guid == old.podcast_guid:
        return True
    return bool(_signs(new.episodes) & _signs(old.episodes)) or not old.episodes


def _signs(episodes: Iterable[FeedEpisode]) -> set[str]:
    return {sign for episode in episodes for sign in (episode.guid, place_of(episode.enclosure_url or episode.guid))}
