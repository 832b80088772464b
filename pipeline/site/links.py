"""The addresses of the site below Datasette's ``base_url``, and those of Datasette's own pages. Knows no page."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from urllib.parse import urlsplit

from datasette import Request

from pipeline.addresses import Addresses, addresses
from pipeline.site.access import PLUGIN, Archive


@dataclass(frozen=True, slots=True)
class Links(Addresses):
    """Makes addresses for one archive, below Datasette's ``base_url``."""

    base: str = field(init=False, default="")
    archive: Archive

    def __post_init__(self) -> None:
        object.__setattr__(self, "base", str(self.archive.datasette.urls.path("/")).rstrip("/"))

    def path(self, path: str) -> str:
        """Return a path of the site with Datasette's base."""
        return f"{self.base}{path}"

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
    return addresses(str(archive.datasette.absolute_url(request, Links(archive).home())))


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
