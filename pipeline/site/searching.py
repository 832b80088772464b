"""The search page and its JSON: what a request asks for, checked, run and shown."""

from __future__ import annotations

import datetime
import sqlite3
from dataclasses import asdict, dataclass
from itertools import groupby
from operator import attrgetter

from datasette import Request, Response

from pipeline.archive import reading
from pipeline.archive.search import PAGE_SIZE, Filters, Results, search
from pipeline.errors import QueryError
from pipeline.site import wording
from pipeline.site.access import Archive
from pipeline.site.links import Links
from pipeline.site.respond import json, page

MAX_QUERY = 1_000  # characters
MAX_PAGE = 100_000


@dataclass(frozen=True, slots=True)
class _Asked:
    """What a request asks the search for. ``parameters`` are those of a link back to it, without the page."""

    text: str
    filters: Filters
    page: int

    @property
    def parameters(self) -> dict[str, str | None]:
        filters = self.filters
        return {
            "q": self.text,
            "feed": filters.feed,
            "speaker": filters.speaker,
            "role": filters.role,
            "from": filters.since,
            "to": filters.until,
        }

    def problem(self) -> str | None:
        """Say what is wrong with the filters: they are never left out silently."""
        if len(self.text) > MAX_QUERY:
            return f"The search is longer than {MAX_QUERY:,} characters."
        if self.filters.role and self.filters.role not in wording.ROLES:
            return f"“{self.filters.role}” is none of: {', '.join(wording.ROLES)}."
        for date in (self.filters.since, self.filters.until):
            if date and not _is_date(date):
                return f"“{date}” is no date: write it as 2026-05-31."
        return None

    def run(self, connection: sqlite3.Connection) -> Results:
        """Search.

        Raises:
            QueryError: the filters make no sense.
        """
        problem = self.problem()
        if problem:
            raise QueryError(problem)
        return search(connection, self.text, self.filters, page=self.page)


def _asked(request: Request) -> _Asked:
    values = {name: (request.args.get(name) or "").strip() for name in request.args}
    number = values.get("page", "")
    good = number.isascii() and number.isdigit() and len(number) < 10 and 0 < int(number) <= MAX_PAGE
    return _Asked(
        values.get("q", ""),
        Filters(
            feed=values.get("feed") or None,
            speaker=values.get("speaker") or None,
            role=values.get("role") or None,
            since=values.get("from") or None,
            until=values.get("to") or None,
        ),
        int(number) if good else 1,
    )


def _is_date(text: str) -> bool:
    try:
        return datetime.date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


async def search_page(request: Request, archive: Archive) -> Response:
    """``/-/search``: the form with its filters, and the passages found."""
    asked = _asked(request)
    shows, speakers = await archive.read(lambda connection: (reading.shows(connection), reading.speakers(connection)))
    context = {"asked": asked, "shows": shows, "speakers": speakers, "page_size": PAGE_SIZE}
    try:
        results, audio = await archive.read(lambda connection: _found(connection, asked))
        groups = [tuple(hits) for _, hits in groupby(results.hits, key=attrgetter("episode"))]
        context |= {"results": results, "groups": groups, "audio": audio}
    except QueryError as error:
        context |= {"problem": str(error), "results": Results(), "audio": {}}
    status = 400 if "problem" in context else 200
    return await page("archive_search.html", context, request=request, archive=archive, status=status)


def _found(connection: sqlite3.Connection, asked: _Asked) -> tuple[Results, dict[str, str]]:
    results = asked.run(connection)
    return results, reading.audio_of(connection, (hit.episode for hit in results.hits))


async def search_json(request: Request, archive: Archive) -> Response:
    """``/-/search.json``: the same hits for programs."""
    results = await archive.read(_asked(request).run)
    links = Links(archive)
    hits = [{**asdict(hit), "url": links.path(hit.path)} for hit in results.hits]
    return json({**results.as_dict(), "hits": hits}, archive=archive)
