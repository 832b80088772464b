"""The page of a feed: what is kept of it, and its episodes, newest first."""

from __future__ import annotations

from urllib.parse import unquote

from datasette import Request, Response

from pipeline.archive import listing, reading
from pipeline.site.access import Archive
from pipeline.site.respond import Refusal, page
from pipeline.site.timeline import spans

EPISODES = 100  # per page


async def feed_page(request: Request, archive: Archive) -> Response:
    """``/-/feed/<feed>?before=``: a feed's episodes, those ``before`` a given one."""
    slug, before = unquote(request.url_vars["feed"]), request.args.get("before")
    show, listed = await archive.read(
        lambda connection: (
            reading.show(connection, slug),
            listing.listing(connection, EPISODES, feed=slug, before=before),
        )
    )
    if show is None:
        raise Refusal(f"There is no feed “{slug}” in this archive.", status=404)
    context = {"show": show, "listed": listed, "first": not before, "spans": spans}
    return await page("archive_feed.html", context, request=request, archive=archive)
