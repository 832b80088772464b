"""The HTTP client: identifies itself, is bounded in time, and cannot reach private networks by default."""

from __future__ import annotations

import base64
import ipaddress
import logging
import os
import socket
import ssl
import time
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from threading import local

import httpcore
import httpx

from pipeline import __version__
from pipeline.net.courtesy import Courtesy, retry_after
from pipeline.net.urls import MissingVariableError, concealed, filled_in, has_login, host, tokens, variables

USER_AGENT = f"interview-archive/{__version__} (podcast archive; feedparser, httpx)"
TIMEOUT = httpx.Timeout(30.0, connect=15.0)
MAX_REDIRECTS = 10
HEAD_SECONDS = 60.0  # from a request to the end of the response head, even if bytes keep trickling in
READ_BYTES = 1 << 18
KEPT_OPEN = 20  # idle keep-alive connections
SLOW_DOWN = frozenset({429, 503})  # Too Many Requests, Service Unavailable

# RFC 6052: on IPv6-only networks, the name server embeds IPv4 addresses in this prefix.
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
# RFC 4291, section 2.4: no other IPv6 address is on the public internet.
_GLOBAL_UNICAST = ipaddress.ip_network("2000::/3")


# At DEBUG httpcore logs each response's headers as they came: a redirect that repeats a secret, cookies. The addresses
# that httpx logs are those of requests, in which `conceal` has replaced secrets.
logging.getLogger("httpcore").setLevel(logging.INFO)

_heads = local()  # ``end``: the deadline of the response head that this thread waits for


class ForbiddenAddressError(httpx.RequestError):
    """The address is not http(s), is on the user's own network, or needs an environment variable that is not set."""


class _Stream(httpcore.NetworkStream):
    """A connection that reads larger blocks than httpcore's 64 kB, since each block has a fixed cost.

    It also enforces a deadline for response heads, which may arrive byte by byte.
    """

    def __init__(self, stream: httpcore.NetworkStream) -> None:
        self._stream = stream

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        end = getattr(_heads, "end", None)
        if end is not None:
            left = end - time.monotonic()
            if left <= 0:
                raise httpcore.ReadTimeout(f"the server took longer than {HEAD_SECONDS:.0f} seconds to answer")
            timeout = left if timeout is None else min(timeout, left)
        return self._stream.read(max(max_bytes, READ_BYTES), timeout)

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, timeout)

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        return _Stream(self._stream.start_tls(ssl_context, server_hostname, timeout))

    def get_extra_info(self, info: str) -> object:
        return self._stream.get_extra_info(info)


class _Backend(httpcore.SyncBackend):
    """Connects to the very address that was checked (no DNS rebinding): a public one, unless ``allow_private``."""

    def __init__(self, *, allow_private: bool) -> None:
        self._allow_private = allow_private

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
        except (OSError, UnicodeError) as error:  # UnicodeError: an invalid name, such as `a..b`
            why = getattr(error, "strerror", None) or error
            raise httpcore.ConnectError(f"the name {host} cannot be looked up ({why})") from error
        addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
        for address in addresses:
            if not self._allow_private and not is_public(address):
                raise ForbiddenAddressError(
                    f"{host} is on your own network ({address}); "
                    "if that is intended, set `allow_private: true` for this feed"
                )
        failure: Exception | None = None
        for address in addresses:
            try:
                return _Stream(super().connect_tcp(address, port, timeout, local_address, socket_options))
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure or httpcore.ConnectError(f"the name {host} has no address")


def is_public(address: str) -> bool:
    """Tell whether an IP address is on the public internet (RFC 6890); IPv4 embedded in IPv6 is unwrapped first."""
    parsed = ipaddress.ip_address(address.split("%", maxsplit=1)[0])
    if isinstance(parsed, ipaddress.IPv6Address):
        wrapped = ipaddress.IPv4Address(int(parsed) & 0xFFFF_FFFF) if parsed in _NAT64 else None
        wrapped = wrapped or parsed.ipv4_mapped or parsed.sixtofour
        if wrapped is None:
            return parsed in _GLOBAL_UNICAST and parsed.is_global
        parsed = wrapped
    return parsed.is_global and not parsed.is_multicast


def _only_http(request: httpx.Request) -> None:
    if request.url.scheme not in {"http", "https"}:
        raise ForbiddenAddressError(f"“{request.url}” is not visited, only http and https addresses are")


def _hide_login(request: httpx.Request) -> None:
    """Remove ``user:password@`` from an address: by now it is in a header, and httpx logs the addresses it requests."""
    if request.url.userinfo:
        request.url = request.url.copy_with(userinfo=b"")


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port  # httpx has None for the port that a scheme has by default


class _Transport(httpx.HTTPTransport):
    """Connects through ``_Backend``, does not read the bodies of redirects, and fills in the secrets of feeds.yaml.

    Secrets are filled in at this level, below everything that stores, shows or follows an address, so that no other
    code sees them; ``conceal`` removes them from redirects that repeat them. They are filled in only for the host of
    ``private_url``, so that a feed or a redirect cannot read the environment. Its login goes with every request to the
    same scheme, host and port (RFC 7617, section 2.2), and with no other.
    """

    def __init__(self, *, allow_private: bool, private_url: str | None, courtesy: Courtesy | None) -> None:
        context = httpx.create_ssl_context()
        super().__init__(verify=context)
        # httpx has no public way to choose the network backend; the pool behind its transport has. Concurrency is
        # limited elsewhere: a request that waited here for a connection would time out as if its server did not answer.
        self._pool = httpcore.ConnectionPool(
            ssl_context=context,
            max_connections=None,
            max_keepalive_connections=KEPT_OPEN,
            network_backend=_Backend(allow_private=allow_private),
        )
        self._private_host = host(private_url or "")
        self._secrets = variables(private_url or "")
        self._login_at = private_url if has_login(private_url or "") else None
        self._courtesy = courtesy

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        host = request.url.host
        if self._courtesy:
            self._courtesy.wait(host)
        _heads.end = time.monotonic() + HEAD_SECONDS
        try:
            response = super().handle_request(self._with_secrets(request))
        finally:
            _heads.end = None
        if self._courtesy and response.status_code in SLOW_DOWN:
            self._courtesy.pause(host, retry_after(response.headers.get("Retry-After"), datetime.now(UTC)))
        if not response.has_redirect_location:
            return response
        # httpx would read the whole body into memory before following the redirect, and the body may be endless.
        response.close()
        return httpx.Response(response.status_code, headers=response.headers)

    def log_in(self, request: httpx.Request) -> None:
        """Add the login of the private address, which its audio and transcripts need as well."""
        if self._login_at is None or "Authorization" in request.headers:
            return
        own = httpx.URL(self._login_at)
        if _origin(request.url) == _origin(own):
            pair = f"{own.username}:{own.password}".encode()
            request.headers["Authorization"] = f"Basic {base64.b64encode(pair).decode()}"

    def conceal(self, request: httpx.Request) -> None:
        """Replace secrets in an address of the private host, before it is requested, logged or stored."""
        if not self._secrets or request.url.host != self._private_host:
            return
        secrets = tokens({name: os.environ.get(name, "") for name in self._secrets})
        request.url = request.url.copy_with(
            raw_path=concealed(request.url.raw_path.decode(), secrets).encode(),
            fragment=concealed(request.url.fragment, secrets) or None,
        )

    def _with_secrets(self, request: httpx.Request) -> httpx.Request:
        if not self._secrets or request.url.host != self._private_host:
            return request
        headers = request.headers.copy()
        kind, _, pair = headers.get("Authorization", "").partition(" ")
        try:
            url = httpx.URL(filled_in(str(request.url), self._secrets, os.environ))
            if kind == "Basic":  # as derived by httpx from the address
                login = filled_in(base64.b64decode(pair).decode(), self._secrets, os.environ, quoted=False)
                headers["Authorization"] = f"Basic {base64.b64encode(login.encode()).decode()}"
        except MissingVariableError as error:
            raise ForbiddenAddressError(str(error)) from error
        return httpx.Request(request.method, url, headers=headers, stream=request.stream, extensions=request.extensions)


def make_client(
    *,
    allow_private: bool = False,
    user_agent: str = USER_AGENT,
    private_url: str | None = None,
    courtesy: Courtesy | None = None,
) -> httpx.Client:
    """Return a client that follows redirects; any number of threads may use it.

    Args:
        allow_private: whether it may connect to the user's own network.
        user_agent: the ``User-Agent`` header.
        private_url: an address with a login or ``${NAME}`` in it; these variables are filled in from the environment at
            its host.
        courtesy: the rate limiter, shared by the clients of a run; None for no rate limit.
    """
    transport = _Transport(allow_private=allow_private, private_url=private_url, courtesy=courtesy)
    return httpx.Client(
        transport=transport,
        timeout=TIMEOUT,
        follow_redirects=True,
        max_redirects=MAX_REDIRECTS,
        headers={"User-Agent": user_agent},
        event_hooks={"request": [transport.log_in, transport.conceal, _only_http, _hide_login]},
    )


def in_time(chunks: Iterator[bytes], seconds: float) -> Iterator[bytes]:
    """Yield a body's chunks within a total time limit; the client's own timeout starts again with every read.

    Raises:
        httpx.ReadTimeout: the chunks together took longer than ``seconds``.
    """
    end = time.monotonic() + seconds
    for chunk in chunks:
        if time.monotonic() > end:
            raise httpx.ReadTimeout(f"the server took longer than {seconds:.0f} seconds")
        yield chunk


def reason(error: Exception) -> str:
    """Describe briefly why a request failed."""
    if isinstance(error, ForbiddenAddressError):
        return str(error)
    if isinstance(error, httpx.TooManyRedirects):
        return f"more than {MAX_REDIRECTS} redirects"
    if isinstance(error, httpx.TimeoutException):
        return "the server did not answer in time"
    if isinstance(error, httpx.HTTPStatusError):
        return f"it answered HTTP {error.response.status_code}"
    if isinstance(error, httpx.InvalidURL | httpx.UnsupportedProtocol):
        return f"this is not a valid address ({error})"
    return str(error) or type(error).__name__
