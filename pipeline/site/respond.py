"""How the site answers: which requests reach a view, the headers of every page, and saying no plainly."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from datasette import Request, Response
from datasette.utils import add_cors_headers

from pipeline.errors import QueryError
from pipeline.model import clock
from pipeline.site import links, wording
from pipeline.site.access import Archive, find_archive

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
    "Cache-Control": "private, no-cache",  # who may see a page can change, so caches have to ask
}


def guarded(view: View, *, without_archive: DatasetteView | None = None) -> DatasetteView:
    """Make one of our views one that Datasette can call: only for reading, only for those who may see the archive.

    Args:
        view: gets the request and the archive; a ``QueryError`` of it becomes an answer that says so.
        without_archive: answers where no archive is attached; by default that is said.
    """

    async def answer(request: Request, datasette: Datasette) -> Any:
        archive = await find_archive(datasette)
        if archive is None and without_archive is not None:
            return await without_archive(request, datasette)
        if request.method not in {"GET", "HEAD"}:
            return Response.text("Method not allowed", status=405, headers={**HEADERS, "Allow": "GET, HEAD"})
        if archive is None:
            return Response.text("No interview archive is attached here.", status=404, headers=dict(HEADERS))
        await archive.ensure_visible(request.actor)
        try:
            return await view(request, archive)
        except QueryError as error:
            return await refused(request, archive, str(error), status=400)

    return answer


def episode_id(request: Request) -> str:
    """Return the id of the episode that an address names."""
    return f"{unquote(request.url_vars['feed'])}/{unquote(request.url_vars['id'])}"


async def page(
    template: str, context: Mapping[str, Any], *, request: Request, archive: Archive, status: int = 200
) -> Response:
    """Render a template of the site."""
    shared = {
        "archive_title": archive.title,
        "links": links.Links(archive),
        "web": links.web,
        "clock": clock,
        "wording": wording,
    }
    body = await archive.datasette.render_template(template, {**shared, **context}, request=request)
    return Response.html(body, status=status, headers=dict(HEADERS))


def json(content: Mapping[str, object], *, archive: Archive, status: int = 200) -> Response:
    """Answer with JSON, open to other sites' scripts if Datasette was started so."""
    headers = dict(HEADERS)
    if archive.datasette.cors:
        add_cors_headers(headers)
    return Response.json(content, status=status, headers=headers)


async def refused(request: Request, archive: Archive, message: str, *, status: int) -> Response:
    """Say why there is nothing to show, as JSON where JSON was asked for."""
    if request.path.endswith(".json"):
        return json({"ok": False, "error": message, "status": status}, archive=archive, status=status)
    return await page("archive_refused.html", {"message": message}, request=request, archive=archive, status=status)
