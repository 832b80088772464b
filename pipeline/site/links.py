"""The addresses of the site, all made by Datasette's ``urls`` so that its ``base_url`` holds. Knows no page."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from urllib.parse import urlencode, urlsplit

from datasette import Request

from pipeline.addresses import Addresses, addresses
from pipeline.site.access import PLUGIN, Archive

_PATHS = Addresses()  # without a base: that is Datasette's to add


@dataclass(frozen=True, slots=True)
class Links:
    """Makes addresses for one archive."""

    archive: Archive

    def path(self, path: str) -> str:
        """Return a path of the site with Datasette's base."""
        return str(self.archive.datasette.urls.path(path))

    def search(self, **parameters: str | int | None) -> str:
        """Return the search page with those parameters that say something."""
        return self.path(_PATHS.search(**parameters))

    def episode(self, episode_id: str, second: float | None = None) -> str:
        """Return an episode's page, at a second if given."""
        return self.path(_PATHS.episode(episode_id, second))

    def audio(self, sha256: str, second: float | None = None, end: float | None = None) -> str:
        """Return a kept file; the fragment makes a browser start there, and stop at the end, without any script."""
        until = "" if end is None else f",{end:.1f}"
        # A tenth too early rather than too late, as in the addresses of pages.
        begin = "" if second is None else f"#t={math.floor(second * 10) / 10:.1f}{until}"
        return self.path(_PATHS.audio(sha256) + begin)

    def quote(self, sha256: str, start: float, end: float) -> str:
        """Return the page of what is said between two seconds of a kept file."""
        return self.path(_PATHS.quote(sha256, start, end))

    def check(self, episode_id: str, passage: int) -> str:
        """Return the form that checks a passage."""
        return self.path("/-/check?" + urlencode({"episode": episode_id, "n": passage}))

    def quotes(self, sha256: str) -> str:
        """Return what the addresses of all quotations from a kept file begin with."""
        return self.path(_PATHS.quotes(sha256))

    def clip(self, sha256: str, start: float, end: float, ending: str) -> str:
        """Return the audio of a quotation alone; ``ending`` is its format's, with the dot."""
        return self.path(_PATHS.clip(sha256, start, end, ending))

    def export(self, episode_id: str, form: str) -> str:
        """Return an episode in one of the formats."""
        return self.path(_PATHS.export(episode_id, form))

    def feed(self, slug: str) -> str:
        """Return a feed, re-published."""
        return self.path(_PATHS.feed(slug))

    def show(self, slug: str, before: str | None = None) -> str:
        """Return a feed's page, or that of the episodes before one."""
        return self.path(_PATHS.show(slug)) + (f"?{urlencode({'before': before})}" if before else "")

    def speaker(self, name: str, before: str | None = None) -> str:
        """Return the page of somebody, or that of the episodes before one."""
        return self.path(_PATHS.speaker(name)) + (f"?{urlencode({'before': before})}" if before else "")

    def speakers(self, after: str | None = None) -> str:
        """Return the page of all people, or of those after a name."""
        return self.path("/-/speakers") + (f"?{urlencode({'after': after})}" if after else "")

    def status(self) -> str:
        """Return the page that says how the archive is doing."""
        return self.path("/-/status")

    def questions(self, **parameters: str | int | None) -> str:
        """Return the page of questions across episodes, with those parameters that say something."""
        return self.path(_PATHS.questions(**parameters))

    def atom(self, **parameters: str | None) -> str:
        """Return the Atom feed of a search, or of the newest episodes."""
        return self.path(_PATHS.atom(**parameters))

    def static(self, name: str) -> str:
        """Return a stylesheet or script; its address changes with its content, so no cache shows an old one."""
        return self.path(static_path(name))

    def tables(self) -> str:
        """Return Datasette's own page of the database."""
        return str(self.archive.datasette.urls.database(self.archive.database.name))

    def table(self, table: str) -> str:
        """Return Datasette's own page of a table."""
        return str(self.archive.datasette.urls.table(self.archive.database.name, table))


def absolute(request: Request, archive: Archive) -> Addresses:
    """Return what makes addresses for people and programs elsewhere: whole ones, below where this was asked for."""
    return addresses(str(archive.datasette.absolute_url(request, Links(archive).path("/"))))


def static_path(name: str) -> str:
    """Return the path of a stylesheet or script, without Datasette's base."""
    return f"/-/static-plugins/{PLUGIN}/{name}?{_digest(name)}"


def web(url: str | None) -> str | None:
    """Let through addresses of the web only: a feed can name ``javascript:`` ones too."""
    return url if url and urlsplit(url).scheme in {"http", "https"} else None


@cache
def _digest(name: str) -> str:
    content = (files(__package__) / "static" / name).read_bytes()
    return hashlib.sha256(content).hexdigest()[:8]
