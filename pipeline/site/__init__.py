"""The Datasette plugin: search, episode pages with a player, the kept audio and exports, next to Datasette's own pages.

It uses only hooks and calls that Datasette 0.65.5 and the 1.0 alphas have in common; where they differ (permissions),
``pipeline.site.access`` and ``pipeline.site.editors`` hide the difference. All settings are optional: ``{"plugins":
{"interview-archive": {"database": "name", "title": "Name of the site", "robots": "pages"}}}``; ``robots`` says what
search engines may visit: ``pages`` (neither searches nor tables nor audio), ``all`` or ``none``.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING

from datasette import Forbidden, Request, hookimpl

from pipeline.site import episode, exports, home, machines, people, questions, quoting, review, searching, shows, status
from pipeline.site.access import find_archive
from pipeline.site.audio import audio
from pipeline.site.check import check
from pipeline.site.correct import correct
from pipeline.site.editors import permission_resources_sql, register_actions, skip_csrf
from pipeline.site.links import static_path
from pipeline.site.respond import DatasetteView, guarded
from pipeline.site.turnstile import Turnstile

# Datasette's hooks.
__all__ = [
    "extra_css_urls",
    "menu_links",
    "permission_resources_sql",
    "register_actions",
    "register_routes",
    "skip_csrf",
    "startup",
]

if TYPE_CHECKING:  # Datasette imports its plugins while it is itself being imported
    from datasette.app import Datasette


@hookimpl  # type: ignore[untyped-decorator]  # Datasette is not typed
def startup() -> None:
    """Turn off Datasette's rich tracebacks, so that refused and unknown requests are answered, and quickly.

    If rich is installed, as it is for our progress bars, Datasette prints a traceback with all local variables for
    every refused request, which blocks all other requests for half a second. For an unknown path there is no exception
    and thus no traceback, so that printing it fails and the answer is 500. Internal errors are still printed without
    rich.
    """
    from datasette import handle_exception  # noqa: PLC0415 - Datasette is still being imported when this module is

    handle_exception.rich = None


@hookimpl  # type: ignore[untyped-decorator]  # Datasette is not typed
def register_routes() -> list[tuple[str, DatasetteView]]:
    """Register the site's pages, JSON, audio and exports; without an archive ``/`` remains Datasette's own page."""
    turnstile = Turnstile()
    # Cutting an hour of MP3 takes a second of CPU time, which must not delay audio and pages: all clips are cut in one
    # thread.
    clip = partial(quoting.clip, cutter=ThreadPoolExecutor(1, thread_name_prefix="clip"))
    return [
        # The empty group is for Datasette's index view, which expects a format in the URL.
        (r"/(?P<format>)$", guarded(home.home, without_archive=home.datasette_index)),
        (r"/-/search$", guarded(searching.search_page, turnstile=turnstile)),
        (r"/-/search\.json$", guarded(searching.search_json, turnstile=turnstile)),
        (r"/-/episode/(?P<feed>[^/]+)/(?P<id>[^/]+)$", guarded(episode.episode_page)),
        (r"/-/audio/(?P<sha256>[^/]+)$", guarded(audio)),
        (r"/-/quote/(?P<recording>[^/]+)/(?P<passage>[^/]+)$", guarded(quoting.quote)),
        (r"/-/clip/(?P<recording>[^/]+)/(?P<passage>[^/]+)$", guarded(clip, turnstile=Turnstile(1))),
        (r"/-/export/(?P<feed>[^/]+)/(?P<id>[^/.]+)\.(?P<format>[^/]+)$", guarded(exports.export)),
        (r"/-/feed/(?P<feed>[^/]+)\.xml$", guarded(exports.feed_xml)),
        (r"/-/feed/(?P<feed>[^/]+)$", guarded(shows.feed_page)),
        (r"/-/speakers$", guarded(people.speakers_page)),
        (r"/-/speaker/(?P<name>[^/]+)$", guarded(people.speaker_page)),
        (r"/-/questions$", guarded(questions.questions_page)),
        (r"/-/review$", guarded(review.review_page)),
        (r"/-/status$", guarded(status.status_page)),
        (r"/-/status\.json$", guarded(status.status_json)),
        (r"/-/atom$", guarded(machines.atom, turnstile=turnstile)),
        (r"/sitemap(?:-(?P<part>\d{1,6}))?\.xml$", guarded(machines.sitemap)),
        (r"/robots\.txt$", machines.robots),
        (r"/llms\.txt$", guarded(machines.llms)),
        (r"/-/correct$", guarded(correct, methods=("POST",))),
        (r"/-/check$", guarded(check, methods=("GET", "HEAD", "POST"))),
    ]


@hookimpl  # type: ignore[untyped-decorator]  # Datasette is not typed
def extra_css_urls() -> list[str]:
    """Add stylesheets that give Datasette's own pages the site's dark colours; the site's pages have their own."""
    return [static_path(name) for name in ("colours.css", "datasette.css")]


@hookimpl  # type: ignore[untyped-decorator]  # Datasette is not typed
def menu_links(datasette: Datasette, request: Request | None) -> Callable[[], Awaitable[list[dict[str, str]]]]:
    """Add links to the site to the menu of Datasette's own pages."""

    async def links() -> list[dict[str, str]]:
        archive = await find_archive(datasette)
        if archive is None or request is None:
            return []
        try:
            await archive.ensure_visible(request.actor)
        except Forbidden:
            return []
        return [
            {"href": datasette.urls.path("/"), "label": archive.title},
            {"href": datasette.urls.path("/-/search"), "label": "Search the transcripts"},
        ]

    return links
