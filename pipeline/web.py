"""The HTTP client: honest, bounded, and kept away from the user's own network. Knows nothing of feeds or audio."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import unquote, urlsplit

import httpcore
import httpx

from pipeline import __version__

USER_AGENT = f"interview-archive/{__version__} (podcast archive; feedparser, httpx)"
TIMEOUT = httpx.Timeout(30.0, connect=15.0)
MAX_REDIRECTS = 10


class ForbiddenAddressError(httpx.RequestError):
    """The address is not http(s), or lies on the user's own network."""


class _GuardedBackend(httpcore.SyncBackend):
    """Connects only to public addresses, and to the very address that was checked (no DNS rebinding)."""

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except OSError as error:
            raise httpcore.ConnectError(f"the name {host} cannot be looked up ({error.strerror or error})") from error
        addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
        for address in addresses:
            if not is_public(address):
                raise ForbiddenAddressError(
                    f"{host} lies on your own network ({address}); "
                    "if that is meant, say `allow_private: true` for this feed"
                )
        failure: Exception | None = None
        for address in addresses:
            try:
                return super().connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure or httpcore.ConnectError(f"the name {host} has no address")


def is_public(address: str) -> bool:
    """Tell whether an IP address is on the public internet (RFC 6890), seen through IPv4-in-IPv6 wrappings."""
    parsed = ipaddress.ip_address(address.split("%", maxsplit=1)[0])
    if isinstance(parsed, ipaddress.IPv6Address):
        parsed = parsed.ipv4_mapped or parsed.sixtofour or parsed
    return parsed.is_global and not parsed.is_multicast


def _only_http(request: httpx.Request) -> None:
    if request.url.scheme not in {"http", "https"}:
        raise ForbiddenAddressError(f"{request.url.scheme}: addresses are not visited, only http and https")


def make_client(*, allow_private: bool = False) -> httpx.Client:
    """Return a client that follows redirects and, unless ``allow_private``, refuses private addresses."""
    transport = httpx.HTTPTransport()
    if not allow_private:
        # httpx has no public way to choose the network backend; the pool behind its transport has.
        transport._pool = httpcore.ConnectionPool(
            ssl_context=httpx.create_ssl_context(), network_backend=_GuardedBackend()
        )
    return httpx.Client(
        transport=transport,
        timeout=TIMEOUT,
        follow_redirects=True,
        max_redirects=MAX_REDIRECTS,
        headers={"User-Agent": USER_AGENT},
        event_hooks={"request": [_only_http]},
    )


def local_path(file_url: str) -> Path:
    """Return the path that a ``file:`` address names."""
    return Path(unquote(urlsplit(file_url).path))


def reason(error: Exception) -> str:
    """Say in a few words why a request failed."""
    if isinstance(error, ForbiddenAddressError):
        return str(error)
    if isinstance(error, httpx.TooManyRedirects):
        return f"more than {MAX_REDIRECTS} redirects"
    if isinstance(error, httpx.TimeoutException):
        return "the server did not answer in time"
    if isinstance(error, httpx.InvalidURL | httpx.UnsupportedProtocol):
        return f"this is no address that can be visited ({error})"
    return str(error) or type(error).__name__
