"""The search page and its JSON: parsing and validating a request, running the search, showing the hits."""

from __future__ import annotations

import asyncio
import datetime
import re
import sqlite3
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import cast

from datasette import Request, Response

from pipeline.archive import people, reading
from pipeline.archive.search import ORDERS, PAGE_SIZE, Filters, Hit, Order, Results, search
from pipeline.archive.search.facets import Facets, facets
from pipeline.archive.search.hits import ANYTHING
from pipeline.archive.search.instead import Instead, instead
from pipeline.archive.search.paging import Position
from pipeline.archive.search.query import Query, compile_query
from pipeline.archive.search.unknown import unknown_show
from pipeline.errors import QueryError
from pipeline.export import found
from pipeline.site import wording
from pipeline.site.access import Archive
from pipeline.site.chart import chart
from pipeline.site.links import Links
from pipeline.site.respond import json, page

MAX_QUERY = 1_000  # characters
INSTEAD_SECONDS = 1.5  # for suggestions if there are no hits; the answer is also correct without


@dataclass(frozen=True)
class SearchRequest:
    """A search request. ``number`` is the number of a question, as typed."""

    text: str
    filters: Filters
    order: str
    page: str | None
    number: str = ""

    @cached_property
    def query(self) -> Query:
        """Return what was typed, compiled."""
        return compile_query(self.text)

    @property
    def is_blank(self) -> bool:
        """Tell whether it has neither words nor filters; filters alone list everything that passes them."""
        return not self.text and self.filters == ANYTHING

    @property
    def parameters(self) -> dict[str, str | None]:
        """Return the parameters of a link to this search, without the page."""
        filters = self.filters
        return {
            "q": self.text,
            "feed": filters.feed,
            "speaker": filters.speaker,
            "role": filters.role,
            "question": self.number or None,
            "from": filters.since,
            "to": filters.until,
            "order": self.order if self.order != "relevance" else None,
        }

    def but(self, **changed: object) -> dict[str, object]:
        """Return the parameters with some of them replaced."""
        return {**self.parameters, **changed}

    def problem(self) -> str | None:
        """Return what is wrong with the request, or None: invalid filters are never ignored silently."""
        if len(self.text) > MAX_QUERY:
            return f"The search is longer than {MAX_QUERY:,} characters."
        if self.filters.role and self.filters.role not in wording.ROLES:
            return f"“{self.filters.role}” is not one of: {', '.join(wording.ROLES)}."
        if self.number and self.filters.question is None:
            return f"“{self.number}” is not the number of a question."
        if self.order not in ORDERS:
            return f"“{self.order}” is not one of: {', '.join(ORDERS)}."
        if self.page and not Position.is_named(self.page):
            return f"“{self.page}” is not a page: give a number, or the value of “next”."
        return _problem_of_dates(self.filters.since, self.filters.until)

    def run(self, connection: sqlite3.Connection) -> Results:
        """Run the search.

        Raises:
            QueryError: the request is invalid, or names an unknown feed.
        """
        self.ensure_feed(connection)
        return search(connection, self.query, self.checked(), order=cast("Order", self.order), page=self.page)

    def ensure_feed(self, connection: sqlite3.Connection) -> None:
        """Raise if the request names a feed that is not in the archive.

        Raises:
            QueryError: it does; otherwise there would be no hits without any visible reason.
        """
        problem = unknown_show(connection, Query(), self.filters)
        if problem:
            raise QueryError(problem.sentence)

    def checked(self) -> Filters:
        """Return the filters.

        Raises:
            QueryError: the request is invalid.
        """
        problem = self.problem()
        if problem:
            raise QueryError(problem)
        return self.filters


def asked_of(request: Request) -> SearchRequest:
    """Parse a search request; it is validated only when it is run."""
    values = {name: (request.args.get(name) or "").strip() for name in request.args}
    number = values.get("question", "")
    return SearchRequest(
        values.get("q", ""),
        Filters(
            feed=values.get("feed") or None,
            speaker=values.get("speaker") or None,
            role=values.get("role") or None,
            question=int(number) or None if re.fullmatch(r"[0-9]{1,4}", number) else None,
            since=values.get("from") or None,
            until=values.get("to") or None,
        ),
        values.get("order") or "relevance",
        values.get("page") or None,
        number,
    )


def _problem_of_dates(since: str | None, until: str | None) -> str | None:
    for date in (since, until):
        if date and not _is_date(date):
            return f"“{date}” is not a date: write it as 2026-05-31."
    if since and until and since > until:
        return f"“Published from”, {since}, is after “to”, {until}: exchange the two."
    return None


def _is_date(text: str) -> bool:
    try:
        return datetime.date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


async def search_page(request: Request, archive: Archive) -> Response:
    """``/-/search``: the form with its filters, and the passages found."""
    asked = asked_of(request)
    shows, speakers = await archive.read(lambda connection: (reading.shows(connection), reading.speakers(connection)))
    context: dict[str, object] = {
        "asked": asked,
        "page_size": PAGE_SIZE,
        "number": Position.parse(asked.page).page,
        "query": asked.query,
        "shows": shows,
        "show_titles": {show.slug: show.title for show in shows},
        "speakers": speakers,
    }
    try:
        results, spread = await archive.read(lambda connection: _found(connection, asked))
        offered = await _offered(archive, asked, results) or Instead()
        hits = (*results.hits, *(one.hit for one in offered.nearly))
        known = await archive.read(
            lambda connection: people.known(connection, (name for hit in hits for name in hit.speakers))
        )
        context |= {
            "results": results,
            "groups": _by_episode(results.hits),
            "audio": await _playable(archive, hits),
            "people": known,
            "facets": spread,
            "chart": chart(spread.months),
            "offered": offered,
        }
    except QueryError as error:
        context["problem"] = str(error)
    status = 400 if "problem" in context else 200
    return await page("archive_search.html", context, request=request, archive=archive, status=status)


def _found(connection: sqlite3.Connection, asked: SearchRequest) -> tuple[Results, Facets]:
    results = asked.run(connection)
    return results, facets(connection, asked.query, asked.filters) if results.hits else Facets()


async def _offered(archive: Archive, asked: SearchRequest, results: Results) -> Instead | None:
    """Suggestions for an empty first page, as far as they can be computed in time; None for any other page."""
    if results.hits or asked.page:
        return None
    try:
        return await archive.read(
            lambda connection: instead(connection, asked.query, asked.filters), seconds=INSTEAD_SECONDS
        )
    except QueryError:
        return Instead()


async def _playable(archive: Archive, hits: Sequence[Hit]) -> dict[str, str]:
    """Map the episodes of these hits to their recordings, if the audio file is present."""
    names = {hit.rendition for hit in hits}
    kept = await archive.read(lambda connection: [reading.rendition(connection, name) for name in names])

    def present() -> set[str]:
        return {one.sha256 for one in kept if one and archive.audio_file(one)}

    here = await asyncio.to_thread(present)
    return {hit.episode: hit.rendition for hit in hits if hit.rendition in here}


def _by_episode(hits: Sequence[Hit]) -> list[list[Hit]]:
    """Group a page's hits by episode, in the order of each episode's first hit."""
    groups: dict[str, list[Hit]] = {}
    for hit in hits:
        groups.setdefault(hit.episode, []).append(hit)
    return list(groups.values())


async def search_json(request: Request, archive: Archive) -> Response:
    """``/-/search.json``: the same hits for programs; with ``facets=1`` also their facets."""
    asked, links = asked_of(request), Links.of(archive)

    def answer(connection: sqlite3.Connection) -> tuple[Results, dict[str, object]]:
        results = asked.run(connection)
        content = found.results(results, links)
        if request.args.get("facets"):
            content["facets"] = asdict(facets(connection, asked.query, asked.filters))
        return results, content

    results, content = await archive.read(answer)
    offered = await _offered(archive, asked, results) or Instead()
    content |= found.suggestions(offered, links)
    return json(content | {"remarks": [*asked.query.remarks, *offered.remarks]}, archive=archive)
