"""URLs of the site below Datasette's ``base_url``, and of Datasette's own pages. Independent of the pages."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from ipaddress import ip_address
from urllib.parse import urlsplit

from datasette import Request

from pipeline.addresses import Addresses, addresses
from pipeline.site.access import PLUGIN, Archive


@dataclass(frozen=True, slots=True)
class Links(Addresses):
    """Makes URLs for one archive, below Datasette's ``base_url``."""

    archive: Archive = field(kw_only=True)

    @classmethod
    def of(cls, archive: Archive) -> Links:
        """Return the maker of an archive's URLs."""
        return cls(base=str(archive.datasette.urls.path("/")).rstrip("/"), archive=archive)

    def path(self, path: str) -> str:
        """Return a path of the site, with Datasette's ``base_url``."""
        return f"{self.base}{path}"

    def static(self, name: str) -> str:
        """Return the URL of a stylesheet or script, with a hash of its content, so that caches serve no old one."""
        return self.path(static_path(name))

    def tables(self) -> str:
        """Return the URL of Datasette's page of the database."""
        return str(self.archive.datasette.urls.database(self.archive.database.name))

    def table(self, table: str) -> str:
        """Return the URL of Datasette's page of a table."""
        return str(self.archive.datasette.urls.table(self.archive.database.name, table))


def absolute(request: Request, archive: Archive) -> Addresses:
    """Return the maker of absolute URLs, for use outside the site; the host is that of the request."""
    return addresses(str(archive.datasette.absolute_url(request, Links.of(archive).home())))


def works_elsewhere(address: str) -> bool:
    """Tell whether an absolute URL also works on other computers: the host is not this computer's own name for itself.

    Raises:
        ValueError: it is not a URL.
    """
    host = urlsplit(address).hostname or ""
    try:
        return not ip_address(host).is_loopback
    except ValueError:
        return host != "localhost" and not host.endswith(".localhost")


def static_path(name: str) -> str:
    """Return the path of a stylesheet or script, without Datasette's ``base_url``."""
    return f"/-/static-plugins/{PLUGIN}/{name}?{_digest(name)}"


def web(url: str | None) -> str | None:
    """Return the URL if it is http(s), else None: a feed may contain ``javascript:`` URLs too."""
    return url if url and urlsplit(url).scheme in {"http", "https"} else None


@cache
def _digest(name: str) -> str:
    content = (files(__package__) / "static" / name).read_bytes()
    return hashlib.sha256(content).hexdigest()[:8]
