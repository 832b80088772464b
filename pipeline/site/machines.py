"""What the site offers to programs: Atom feeds, the sitemap, robots.txt and llms.txt."""

from __future__ import annotations

import sqlite3
from contextlib import suppress
from html import escape
from typing import TYPE_CHECKING

from datasette import Forbidden, Request, Response

from pipeline.addresses import Addresses
from pipeline.archive import listing, people, reading
from pipeline.archive.reading import Item
from pipeline.archive.search import Filters, Hit, search
from pipeline.errors import ExportError
from pipeline.export import atom as atom_file
from pipeline.export import notes
from pipeline.export import sitemap as sitemap_file
from pipeline.export.atom import Entry
from pipeline.export.markdown import escaped
from pipeline.export.sitemap import Page
from pipeline.site.access import Archive, ensure_database_visible, find_archive
from pipeline.site.links import Links, absolute
from pipeline.site.respond import HEADERS, Refusal
from pipeline.site.searching import SearchRequest, asked_of

if TYPE_CHECKING:  # Datasette imports its plugins while it is itself being imported
    from datasette.app import Datasette

ENTRIES = 50  # in an Atom feed
# Values of the setting ``robots``: "all" excludes nothing from search engines, "none" everything.
ROBOTS = ("all", "pages", "none")


async def atom(request: Request, archive: Archive) -> Response:
    """``/-/atom``: the newest episodes, of all feeds or ``?feed=``; with ``q`` or filters the newest hits of a search.

    Raises:
        QueryError: the filters are invalid.
    """
    asked, site = asked_of(request), absolute(request, archive)
    feed = asked.checked().feed
    await archive.read(asked.ensure_feed)
    if asked.text or asked.filters != Filters(feed=feed):
        entries = await archive.read(lambda connection: _passages(connection, asked, site))
        title, page = " – ".join(filter(None, [asked.text, archive.title])), site.search(**asked.parameters)
    else:
        entries = await archive.read(lambda connection: _episodes(connection, feed, site))
        title, page = archive.title, site.show(feed) if feed else site.home()
    content = atom_file.atom(
        entries, title=title, author=archive.title, itself=site.atom(**asked.parameters), page=page
    )
    return Response(content, headers=dict(HEADERS), content_type=atom_file.CONTENT_TYPE)


async def sitemap(request: Request, archive: Archive) -> Response:
    """``/sitemap.xml``, ``/sitemap-<part>.xml``: the pages that search engines may visit."""
    part, site = request.url_vars["part"], absolute(request, archive)
    if archive.robots not in {"all", "pages"} or not await _is_public(archive):
        raise Refusal("This archive has no map for search engines.", status=404)
    pages = await archive.read(lambda connection: _pages(connection, site))
    content = sitemap_file.sitemap(pages, site.sitemap, int(part) if part else None)
    if content is None:
        raise Refusal(f"The map of this site has no part {part}.", status=404)
    return Response(content, headers=dict(HEADERS), content_type=sitemap_file.CONTENT_TYPE)


async def robots(request: Request, datasette: Datasette) -> Response:
    """``/robots.txt``: what search engines may visit; also served to those who may not see the archive."""
    archive = await find_archive(datasette)
    if archive is None:
        return Response.text("No interview archive is attached here.", status=404, headers=dict(HEADERS))
    links = Links.of(archive)
    allowed = archive.robots if await _is_public(archive) else "none"
    lines = ["User-agent: *"]
    if allowed == "pages":
        # There is no end to searches and to Datasette's pages of tables, facets and SQL; an episode has a URL for each
        # of its seconds; audio is large.
        closed = ("/-/search", "/-/atom", "/-/episode/*?t=", "/-/audio/", "/-/clip/")
        lines += [f"Disallow: {links.path(path)}" for path in closed]
        # Names of databases that are not public are not revealed.
        lines += [f"Disallow: {datasette.urls.database(name)}" for name in await _public_databases(datasette)]
    elif allowed == "all":
        lines.append("Disallow:")
    else:
        lines.append("Disallow: /")
    if archive.robots not in ROBOTS:
        lines.append(f"# The setting “robots” is not one of: {', '.join(ROBOTS)}. Everything is closed.")
    if allowed in {"all", "pages"}:
        lines.append(f"Sitemap: {absolute(request, archive).sitemap()}")
    return Response.text("\n".join(lines) + "\n", headers=dict(HEADERS))


async def llms(request: Request, archive: Archive) -> Response:
    """``/llms.txt``: for language models, a description of the contents and how to query them (llmstxt.org)."""
    site = absolute(request, archive)
    holdings = await archive.read(reading.holdings)
    shows = "\n".join(
        f"- [{escaped(show.title)}]({site.show(show.slug)}): {show.transcribed} transcribed episodes"
        for show in holdings.shows
    )
    content = f"""# {escaped(archive.title)}

> Interviews that can be searched, quoted and cited: {holdings.transcribed} transcribed episodes. The transcripts
> are made by machine, or are the publisher's: quote only with the second at which it is said, so that a person can
> listen.

## Ask

- [Search]({site.search_json(q='"early help"')}): JSON; quotation marks find exact words. `feed`, `speaker`,
  `role` (question, answer, other), `from` and `to` (YYYY-MM-DD) narrow it down. A hit has `start` and `end` in seconds.
- [Newest episodes]({site.atom()}): Atom; with `q` and the other parameters of a search, where that was last said
- [Questions]({site.questions()}): what was asked in several episodes, with how each answer begins
- [Speakers]({site.speakers()}): everything that somebody said
- A transcript: `{site.export("FEED/ID", "txt")}` or `.json`, of the episode at `{site.episode("FEED/ID")}`

## Shows

{shows}
"""
    return Response.text(content, headers=dict(HEADERS))


async def _public_databases(datasette: Datasette) -> list[str]:
    """The names of the databases that are visible without signing in."""
    found = []
    for name in datasette.databases:
        with suppress(Forbidden):
            await ensure_database_visible(datasette, name, None)
            found.append(name)
    return found


async def _is_public(archive: Archive) -> bool:
    """Tell whether the archive is visible without signing in."""
    try:
        await archive.ensure_visible(None)
    except Forbidden:
        return False
    return True


def _episodes(connection: sqlite3.Connection, feed: str | None, site: Addresses) -> list[Entry]:
    items = listing.listing(connection, ENTRIES, feed=feed).episodes
    arrived = listing.arrivals(connection, (item.id for item in items))
    return [
        Entry(
            key=f"{item.feed} {item.guid}",
            title=item.title,
            url=site.episode(item.id),
            updated=arrived[item.id],
            published=item.published,
            html=_notes(item, site),
        )
        for item in items
    ]


def _notes(item: Item, site: Addresses) -> str:
    """An episode's questions with their times; empty if it has none, or has not been aligned."""
    try:
        return notes.page(item, site)
    except ExportError:
        return ""


def _passages(connection: sqlite3.Connection, asked: SearchRequest, site: Addresses) -> list[Entry]:
    hits = search(connection, asked.query, asked.checked(), order="newest", size=ENTRIES).hits
    arrived = listing.arrivals(connection, (hit.episode for hit in hits))
    return [
        Entry(
            # Without the host: the site may move.
            key=Addresses().quote(hit.rendition, hit.start, hit.end, episode=hit.episode),
            title=", ".join(filter(None, [hit.who, hit.title, hit.clock])),
            url=site.episode(hit.episode, hit.start),
            updated=arrived[hit.episode],
            published=hit.published,
            html=_quoted(hit),
        )
        for hit in hits
    ]


def _quoted(hit: Hit) -> str:
    said = [f"<b>{escape(turn.speaker or 'Somebody else')}</b>: {_bold(turn.html)}" for turn in hit.turns]
    return f"<blockquote>{''.join(f'<p>{one}</p>' for one in said) or _bold(hit.html)}</blockquote>"


def _bold(html: str) -> str:
    """Replace ``mark``, which most feed readers strip, by ``b``."""
    return html.replace("<mark>", "<b>").replace("</mark>", "</b>")


def _pages(connection: sqlite3.Connection, site: Addresses) -> list[Page]:
    episodes = listing.changes(connection)
    shows = [show for show in reading.shows(connection) if show.episodes]
    return [
        Page(site.home()),
        Page(site.questions()),
        Page(site.speakers()),
        *(Page(site.show(show.slug)) for show in shows),
        *(Page(site.episode(episode), changed) for episode, changed in episodes),
        *(Page(site.speaker(name)) for name in people.names(connection)),
    ]
