"""Getting a feed's bytes: from the web with a conditional request, through Apple's directory, or from a file."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from pipeline.errors import FeedGoneError, FeedUnreachableError, NotAFeedError
from pipeline.web import local_path, reason

MAX_FEED_BYTES = 50_000_000
ITUNES_LOOKUP = "https://itunes.apple.com/lookup"

_APPLE_ADDRESS = re.compile(r"^https?://(?:podcasts|itunes)\.apple\.com/.*?/id(?P<id>\d+)")


@dataclass(frozen=True, slots=True)
class Validators:
    """What a server said to recognise an unchanged body by (RFC 9110, section 8.8), sent back verbatim."""

    etag: str | None = None
    last_modified: str | None = None

    def headers(self) -> dict[str, str]:
        """Return the headers that make a request conditional."""
        pairs = {"If-None-Match": self.etag, "If-Modified-Since": self.last_modified}
        return {name: value for name, value in pairs.items() if value}


@dataclass(frozen=True, slots=True)
class FeedBody:
    """A feed as it came. ``base`` is the address that relative addresses in it start from."""

    content: bytes
    content_type: str
    base: str
    validators: Validators = Validators()


def resolve(url: str, folder: Path, client: httpx.Client, *, itunes_lookup: str = ITUNES_LOOKUP) -> str:
    """Turn what feeds.yaml says into the feed's own address: ``http(s):`` or ``file:``.

    An Apple Podcasts address is looked up in Apple's directory (iTunes Search API); a path starts at ``folder``.

    Raises:
        FeedUnreachableError: Apple's directory did not answer.
        FeedGoneError: the directory does not know the show, or knows no feed of it.
    """
    apple = _APPLE_ADDRESS.match(url)
    if apple:
        return _apple_feed(apple["id"], client, itunes_lookup)
    if urlsplit(url).scheme in {"http", "https", "file"}:
        return url
    return (folder / Path(url).expanduser()).resolve().as_uri()


def _apple_feed(show: str, client: httpx.Client, itunes_lookup: str) -> str:
    try:
        response = client.get(itunes_lookup, params={"id": show, "entity": "podcast"})
        response.raise_for_status()
        results = response.json()["results"]
        feed_url = next((str(entry["feedUrl"]) for entry in results if entry.get("feedUrl")), None)
    except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
        raise FeedUnreachableError(
            f"Apple's directory could not be asked for the feed of show {show}: {reason(error)}. "
            "Try again later, or put the show's RSS address into feeds.yaml."
        ) from error
    if feed_url is None:
        raise FeedGoneError(
            f"Apple's directory knows no feed for show {show}. Put the show's RSS address into feeds.yaml."
        )
    return feed_url


def fetch(feed_url: str, client: httpx.Client, validators: Validators) -> FeedBody | None:
    """Get the feed's bytes, or None when the server says that nothing has changed (304).

    Raises:
        FeedUnreachableError, FeedGoneError, NotAFeedError: with a reason; NotAFeedError when too large.
    """
    if urlsplit(feed_url).scheme == "file":
        return _read_file(feed_url)
    try:
        with client.stream("GET", feed_url, headers=validators.headers()) as response:
            if response.status_code == httpx.codes.NOT_MODIFIED:
                return None
            _check_status(response)
            return FeedBody(
                content=_read_bounded(response),
                content_type=response.headers.get("Content-Type", ""),
                base=str(response.url),
                validators=Validators(response.headers.get("ETag"), response.headers.get("Last-Modified")),
            )
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise FeedUnreachableError(f"{feed_url} could not be reached: {reason(error)}") from error


def _check_status(response: httpx.Response) -> None:
    status = response.status_code
    if status in {httpx.codes.NOT_FOUND, httpx.codes.GONE}:
        raise FeedGoneError(
            f"{response.url} is gone (HTTP {status}). What is archived stays; "
            "give the show's new address in feeds.yaml, or `enabled: false`."
        )
    if not response.is_success:
        raise FeedUnreachableError(f"{response.url} answered HTTP {status} {response.reason_phrase}".rstrip())


def _read_bounded(response: httpx.Response) -> bytes:
    body = bytearray()
    for chunk in response.iter_bytes():
        body += chunk
        if len(body) > MAX_FEED_BYTES:
            raise NotAFeedError(f"{response.url} is larger than {MAX_FEED_BYTES // 1_000_000} MB: no feed is")
    return bytes(body)


def _read_file(feed_url: str) -> FeedBody:
    path = local_path(feed_url)
    try:
        if path.stat().st_size > MAX_FEED_BYTES:
            raise NotAFeedError(f"{path} is larger than {MAX_FEED_BYTES // 1_000_000} MB: no feed is")
        return FeedBody(content=path.read_bytes(), content_type="application/xml", base=feed_url)
    except OSError as error:
        raise FeedUnreachableError(f"{path} cannot be read: {error.strerror or error}") from error
