"""Shows that have no feed but a web page, read by yt-dlp with all requests going through our own HTTP client.

yt-dlp runs in this process without cookies, configuration files, plug-ins, JavaScript runtimes and external programs of
its own choice, and downloads nothing. Every request goes to a host named in feeds.yaml, and the client refuses private
addresses. What this cannot prevent: yt-dlp's extractors are third-party code that runs with our privileges, and a few
would start a program such as PhantomJS if it is installed.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any

import httpx
import yt_dlp
from yt_dlp.globals import plugin_dirs
from yt_dlp.networking.common import RequestHandler, Response
from yt_dlp.networking.exceptions import HTTPError, TransportError

from pipeline.errors import FeedError, FeedUnreachableError, NotAFeedError
from pipeline.feeds.fetch import ENCODINGS, read_bounded
from pipeline.feeds.notes import sanitise, to_text
from pipeline.feeds.parse import distinct, made_guid
from pipeline.feeds.questions import find_questions
from pipeline.model import UNTITLED, FeedEpisode, ParsedFeed
from pipeline.net.client import MAX_REDIRECTS, ForbiddenAddressError, reason
from pipeline.net.urls import host, scheme
from pipeline.times import moment

MAX_EPISODES = 500
_NUMBER = re.compile(r" \(\d+\)$")
_OURS = {"user-agent", "accept-encoding", "cookie"}

_OPTIONS: Mapping[str, Any] = {
    "quiet": True,
    "no_warnings": True,
    "noprogress": True,
    "skip_download": True,
    "cachedir": False,
    "enable_file_urls": False,
    "format": "bestaudio/best",
    "ignore_no_formats_error": True,
    "ignoreerrors": True,
    "js_runtimes": {},
    "proxy": "",
    "extractor_retries": 1,
}


def read_page(url: str, client: httpx.Client, *, hosts: Collection[str], limit: int | None) -> ParsedFeed:
    """Read the episodes listed on a page, or the single episode it is about.

    Args:
        url: the page.
        client: makes all requests.
        hosts: hosts that may be requested besides the page's own, including their subdomains.
        limit: maximum number of episodes, from the first on; at most ``MAX_EPISODES``, also if None.

    Raises:
        FeedUnreachableError: a request failed, or was refused because of its host, which the message names.
        NotAFeedError: yt-dlp finds no audio.
    """
    plugin_dirs.value = []
    refused: set[str] = set()
    handler = partial(_PageRH, client=client, hosts={host(url), *hosts}, refused=refused)
    errors = _Errors()
    options = {**_OPTIONS, "logger": errors, "playlistend": min(limit or MAX_EPISODES, MAX_EPISODES)}
    with _Reader(options, handler) as reader:
        found = reader.sanitize_info(reader.extract_info(url, download=False))
    if found is None and not errors.first.startswith("Unsupported URL"):
        raise FeedUnreachableError(f"{url} could not be read: {errors.first}{_and(refused)}")
    page = found or {}
    entries = [entry for entry in page.get("entries", [page]) if entry]
    episodes = distinct(_episode(entry) for entry in entries)
    if not any(episode.enclosure_url for episode in episodes):
        raise NotAFeedError(f"no audio that can be kept was found on {url}{_and(refused)}")
    silent = sum(episode.enclosure_url is None for episode in episodes)
    warnings = (
        [f"{silent} items without audio that can be kept: listed, not downloaded{_and(refused)}"] if silent else []
    )
    return ParsedFeed(str(page.get("title") or ""), tuple(episodes), tuple(warnings))


def _and(refused: Collection[str]) -> str:
    return f"; it leads to {', '.join(sorted(refused))}: add that to page_hosts, if intended" if refused else ""


class _Reader(yt_dlp.YoutubeDL):  # type: ignore[misc]
    """yt-dlp, restricted to one request handler."""

    def __init__(self, options: Mapping[str, Any], handler: Callable[..., RequestHandler]) -> None:
        self._handler = handler
        super().__init__(dict(options), auto_init=False)
        self.add_default_info_extractors()

    def build_request_director(self, handlers: object, preferences: object = None) -> Any:  # noqa: ARG002 - its own are not used
        return super().build_request_director([self._handler])


class _PageRH(RequestHandler):  # type: ignore[misc]
    """Makes yt-dlp's requests with our client; yt-dlp requires the suffix ``RH``."""

    _SUPPORTED_URL_SCHEMES = ("http", "https")
    _SUPPORTED_PROXY_SCHEMES = None

    def __init__(self, *, client: httpx.Client, hosts: Collection[str], refused: set[str], **its_own: Any) -> None:
        super().__init__(**its_own)
        self._client = client
        self._hosts = hosts
        self._refused = refused

    def _check_extensions(self, extensions: dict[str, Any]) -> None:
        super()._check_extensions(extensions)
        for name in ("cookiejar", "timeout", "legacy_ssl", "keep_header_casing"):
            extensions.pop(name, None)

    def _send(self, request: Any) -> Response:
        # The client sends its own User-Agent, and decompresses incrementally the encodings it accepts.
        said = {name: value for name, value in request.headers.items() if name.lower() not in _OURS}
        try:
            asked = self._client.build_request(
                request.method, request.url, headers={**said, **ENCODINGS}, content=request.data
            )
            for _ in range(MAX_REDIRECTS + 1):
                self._refuse_others(asked.url.host)
                asked.headers.pop("Cookie", None)
                response = self._client.send(asked, stream=True, follow_redirects=False)
                try:
                    if response.next_request is None:
                        return self._answer(response)
                finally:
                    response.close()
                asked = response.next_request
        except (httpx.HTTPError, httpx.InvalidURL, FeedError) as error:
            raise TransportError(reason(error)) from error
        raise TransportError(f"more than {MAX_REDIRECTS} redirects")

    def _refuse_others(self, name: str) -> None:
        if not any(name == known or name.endswith(f".{known}") for known in self._hosts):
            self._refused.add(name)
            raise ForbiddenAddressError(f"{name} is not a host that feeds.yaml allows for this page")

    @staticmethod
    def _answer(response: httpx.Response) -> Response:
        body = io.BytesIO(read_bounded(response))
        headers = {name: value for name, value in response.headers.items() if name != "content-encoding"}
        answer = Response(body, str(response.url), headers, response.status_code, response.reason_phrase)
        if response.is_error:
            raise HTTPError(answer)
        return answer


class _Errors:
    """yt-dlp's logger: discards its output, but keeps the first error."""

    def __init__(self) -> None:
        self.first = "yt-dlp does not say why"
        self._is_first = True

    def debug(self, _message: str) -> None:
        """Discard a message."""

    info = warning = debug

    def error(self, message: str) -> None:
        """Keep the first line of the first error, without yt-dlp's advice on reporting bugs."""
        if self._is_first and message.strip():
            self.first = message.removeprefix("ERROR: ").splitlines()[0].partition("; please report")[0]
            self._is_first = False


def _episode(entry: Mapping[str, Any]) -> FeedEpisode:
    notes = str(entry.get("description") or "")
    text = to_text(notes)
    link = str(entry.get("webpage_url") or "")
    audio = _audio(entry)
    # Generic extractors number what they find, so their ids do not identify it, and the numbers become part of titles.
    is_made = str(entry.get("extractor_key") or "Generic") in {"Generic", "HTML5MediaEmbed"} or not entry.get("id")
    title = " ".join(str(entry.get("title") or UNTITLED).split())
    title = _NUMBER.sub("", title) if is_made else title
    return FeedEpisode(
        guid=made_guid(audio, link, title) if is_made else f"{entry['extractor_key'].lower()}:{entry['id']}",
        guid_made=is_made,
        title=title,
        published=_published(entry),
        link=link if scheme(link) in {"http", "https"} else None,
        enclosure_url=audio,
        enclosure_type=None,
        declared_duration=float(entry["duration"]) if entry.get("duration") else None,
        notes_html=sanitise(notes, base=link),
        notes_text=text,
        questions=find_questions(text),
    )


def _published(entry: Mapping[str, Any]) -> str | None:
    if isinstance(entry.get("timestamp"), int | float):
        return moment(entry["timestamp"])
    try:
        day = datetime.strptime(str(entry.get("upload_date") or ""), "%Y%m%d").replace(tzinfo=UTC)
    except ValueError:  # missing, or not a date
        return None
    return moment(day.timestamp())


def _audio(entry: Mapping[str, Any]) -> str | None:
    """The URL of the best audio that is a single file: no segmented stream, and audio without video if available."""
    formats: Iterable[Mapping[str, Any]] = entry.get("formats") or [entry]
    whole = [one for one in formats if one.get("protocol") in {"http", "https"} and one.get("acodec") != "none"]
    whole.sort(key=lambda one: (one.get("vcodec") == "none", one.get("abr") or one.get("tbr") or 0))
    return str(whole[-1]["url"]) if whole else None
