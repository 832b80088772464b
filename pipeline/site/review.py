"""The page of what an editor should look at first. Changes nothing."""

from __future__ import annotations

from datasette import Request, Response

from pipeline.archive.questions.doubts import worth_a_look
from pipeline.site import editors
from pipeline.site.access import Archive
from pipeline.site.respond import ensure_may, page

LISTED = 100  # questions


async def review_page(request: Request, archive: Archive) -> Response:
    """``/-/review``: the questions whose times an editor should look at, the most urgent first; only for editors."""
    await ensure_may(request, archive, editors.TIMES)
    doubts = await archive.read(worth_a_look)
    context = {"doubts": doubts[:LISTED], "amount": len(doubts)}
    return await page("archive_review.html", context, request=request, archive=archive)
