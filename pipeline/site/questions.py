"""The page of questions across episodes: validating the request, and the groups of questions that match it."""

from __future__ import annotations

from typing import get_args

from datasette import Request, Response

from pipeline.archive import reading
from pipeline.archive.questions import groups
from pipeline.archive.search.paging import Position
from pipeline.errors import QueryError
from pipeline.model import MatchStatus
from pipeline.site.access import Archive
from pipeline.site.respond import page
from pipeline.site.searching import MAX_QUERY

GROUPS = 20  # per page
SIDE_BY_SIDE = 6  # questions shown of a group if there are other groups
ALL = 50  # questions per page of a group shown alone


async def questions_page(request: Request, archive: Archive) -> Response:
    """``/-/questions?q=&feed=&status=&page=``: all questions in groups; ``?like=``: those similar to a given one."""
    values = {name: (request.args.get(name) or "").strip() for name in ("q", "feed", "status", "like")}
    if len(values["q"]) > MAX_QUERY:
        raise QueryError(f"The words are longer than {MAX_QUERY:,} characters.")
    if values["status"] and values["status"] not in get_args(MatchStatus):
        raise QueryError(f"“{values['status']}” is not one of: {', '.join(get_args(MatchStatus))}.")
    wanted = groups.Filter(values["q"], values["feed"] or None, values["status"] or None, like=values["like"] or None)
    named = (request.args.get("page") or "").strip()
    if named and not Position.is_named(named):
        raise QueryError(f"“{named}” is not a page: give a number.")
    at = Position.parse(named or None).page
    alone = wanted.like is not None
    shows, found = await archive.read(
        lambda connection: (
            reading.shows(connection),
            groups.groups(
                connection,
                wanted,
                page=1 if alone else at,
                size=GROUPS,
                members=ALL if alone else SIDE_BY_SIDE,
                member_page=at if alone else 1,
            ),
        )
    )
    if wanted.feed and wanted.feed not in {show.slug for show in shows}:
        raise QueryError(f"This archive has no show “{wanted.feed}”; it has {', '.join(show.slug for show in shows)}.")
    more = any(group.size > at * ALL for group in found.groups) if alone else found.total > at * GROUPS
    context = {
        "values": values,
        "wanted": wanted,
        "shows": shows,
        "found": found,
        "statuses": get_args(MatchStatus),
        "at": at,
        "more": more,
    }
    return await page("archive_questions.html", context, request=request, archive=archive)
