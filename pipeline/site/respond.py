"""Handling requests: which of them reach a view, the headers of every page, and error answers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from datasette import Request, Response
from datasette.utils import add_cors_headers

from pipeline.errors import CorrectionError, DatabaseError, ExportError, NothingQuotedError, QueryError, QuotationError
from pipeline.site import editors, links, wording
from pipeline.site.access import Archive, find_archive
from pipeline.site.compress import compressed
from pipeline.site.turnstile import Turnstile
from pipeline.times import clock, exactly

if TYPE_CHECKING:  # Datasette imports its plugins while it is itself being imported
    from datasette.app import Datasette

View = Callable[[Request, Archive], Awaitable[Any]]  # returns a Response, or something else with asgi_send()
DatasetteView = Callable[[Request, "Datasette"], Awaitable[Any]]

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self'; media-src 'self'; "
        "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'self'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "private, no-cache",  # permissions can change, so caches have to revalidate
}


class Refusal(Exception):  # noqa: N818 - it is an answer
    """A request that a view refuses, with a message and the HTTP status."""

    def __init__(self, message: str, *, status: int) -> None:
        super().__init__(message)
        self.status = status


def guarded(
    view: View,
    *,
    methods: Sequence[str] = ("GET", "HEAD"),
    without_archive: DatasetteView | None = None,
    turnstile: Turnstile | None = None,
) -> DatasetteView:
    """Wrap one of our views for Datasette: only for actors who may see the archive.

    Args:
        view: called with the request and the archive; a ``Refusal`` and known errors become an answer.
        methods: the HTTP methods allowed; by default only reading.
        without_archive: called if no archive is attached; the default is an answer 404.
        turnstile: limits how many such requests run at once, for views that keep the database or a core busy.
    """
    called = view if turnstile is None else _in_turn(view, turnstile)

    async def answer(request: Request, datasette: Datasette) -> Any:
        return await compressed(request, await decided(request, datasette))

    async def decided(request: Request, datasette: Datasette) -> Any:
        archive = await find_archive(datasette)
        if archive is None and without_archive is not None:
            return await without_archive(request, datasette)
        if request.method not in methods:
            return Response.text("Method not allowed", status=405, headers={**HEADERS, "Allow": ", ".join(methods)})
        if archive is None:
            return Response.text("No interview archive is attached here.", status=404, headers=dict(HEADERS))
        await archive.ensure_visible(request.actor)
        try:
            return await called(request, archive)
        except (Refusal, QueryError, CorrectionError, QuotationError, ExportError, DatabaseError) as error:
            return await _refused(request, archive, error)

    return answer


def _in_turn(view: View, turnstile: Turnstile) -> View:
    async def answer(request: Request, archive: Archive) -> Any:
        async with turnstile.passed() as may:
            if not may:
                raise Refusal("Too many others are waiting for this. Try again in a moment.", status=503)
            return await view(request, archive)

    return answer


async def ensure_may(request: Request, archive: Archive, right: editors.Right) -> None:
    """Raise a ``Refusal`` unless whoever sent the request has the permission."""
    reason = await editors.refusal(archive, request.actor, right)
    if reason:
        raise Refusal(reason, status=403)


def status_of(error: Exception) -> int:
    """Return the HTTP status of the answer to a request that fails with a ``Refusal`` or a known error."""
    if isinstance(error, Refusal):
        return error.status
    if isinstance(error, DatabaseError):
        return 503
    return 404 if isinstance(error, NothingQuotedError | ExportError) else 400


def episode_id(request: Request) -> str:
    """Return the id of the episode named in the URL."""
    return f"{unquote(request.url_vars['feed'])}/{unquote(request.url_vars['id'])}"


async def page(
    template: str, context: Mapping[str, Any], *, request: Request, archive: Archive, status: int = 200
) -> Response:
    """Return a response with a page of the site."""
    body = await render(template, context, request=request, archive=archive)
    return Response.html(body, status=status, headers=dict(HEADERS))


async def render(template: str, context: Mapping[str, Any], *, request: Request, archive: Archive) -> str:
    """Render a template of the site, for a page or part of one."""
    shared = {
        "archive_title": archive.title,
        "links": links.Links.of(archive),
        "web": links.web,
        "clock": clock,
        "exactly": exactly,
        "wording": wording,
        "editor": editors.name_of(request.actor),
        "corrects": await editors.refusal(archive, request.actor, editors.TIMES) is None,
    }
    return str(await archive.datasette.render_template(template, {**shared, **context}, request=request))


def wants_json(request: Request) -> bool:
    """Tell whether JSON is requested, by the URL or by the ``Accept`` header."""
    return request.path.endswith(".json") or "application/json" in request.headers.get("accept", "")


def json(content: Mapping[str, object], *, archive: Archive, status: int = 200) -> Response:
    """Return a JSON response, readable by other sites' scripts if Datasette was started with CORS."""
    headers = dict(HEADERS)
    if archive.datasette.cors:
        add_cors_headers(headers)
    return Response.json(content, status=status, headers=headers)


async def _refused(request: Request, archive: Archive, error: Exception) -> Response:
    """An error answer, as JSON if JSON was requested."""
    message, status = str(error), status_of(error)
    if wants_json(request):
        return json({"ok": False, "error": message, "status": status}, archive=archive, status=status)
    context = {"message": message, "recording": request.method == "POST"}
    return await page("archive_refused.html", context, request=request, archive=archive, status=status)
