"""The front page: a search box, the newest episodes, and what the archive holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from datasette import Request, Response

from pipeline.archive import reading
from pipeline.archive.listing import listing
from pipeline.site.access import Archive
from pipeline.site.respond import page
from pipeline.site.timeline import spans

if TYPE_CHECKING:  # Datasette imports its plugins while it is itself being imported
    from datasette.app import Datasette

NEWEST = 12  # episodes


async def datasette_index(request: Request, datasette: Datasette) -> Response:
    """``/`` if no archive is attached: Datasette's own index."""
    from datasette.views.index import IndexView  # noqa: PLC0415 - Datasette is still being imported when this module is

    return await IndexView(datasette).dispatch_request(request)


async def home(request: Request, archive: Archive) -> Response:
    """``/``: the page."""
    holdings, newest = await archive.read(
        lambda connection: (reading.holdings(connection), listing(connection, NEWEST).episodes)
    )
    context = {"holdings": holdings, "newest": newest, "spans": spans}
    return await page("archive_home.html", context, request=request, archive=archive)
