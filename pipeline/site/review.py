"""The page of what an editor should look at first. Changes nothing."""

from __future__ import annotations

from datasette import Request, Response

from pipeline.archive.questions.doubts import worth_a_look
from pipeline.site import editors
from pipeline.site.access import Archive
from pipeline.site.respond import Refusal, page

LISTED = 100  # questions


async def review_page(request: Request, archive: Archive) -> Response:
    """``/-/review``: the questions whose times an editor should look at, the most urgent first; only for editors."""
    refusal = await editors.refusal(archive, request.actor, editors.TIMES)
    if refusal:
        raise Refusal(refusal, status=403)
    doubts = await archive.read(worth_a_look)
    context = {"doubts": doubts[:LISTED], "amount": len(doubts)}
    return await page("archive_review.html", context, request=request, archive=archive)
