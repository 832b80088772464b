"""Sitemaps for search engines (sitemaps.org, protocol 0.9), split into files of at most 50,000 pages."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from xml.etree.ElementTree import Element

from pipeline.export import xml

CONTENT_TYPE = "application/xml; charset=utf-8"
MOST = 50_000  # pages per file; even with our longest URLs that is 45 MB, within the protocol's 50 MB
_NAMESPACE = "http://www.sitemaps.org/schemas/sitemap/0.9"


@dataclass(frozen=True, slots=True)
class Page:
    """A page; ``changed`` is when it last changed, if known."""

    url: str
    changed: str | None = None


def sitemap(pages: Sequence[Page], part: Callable[[int], str], number: int | None = None) -> str | None:
    """Write the sitemap, or the index of its parts if it needs several.

    Args:
        pages: all pages.
        part: returns the absolute URL of a part of the sitemap.
        number: the part to write, from 1; None for the sitemap itself.

    Returns:
        None if there is no such part.
    """
    parts = -(-len(pages) // MOST)
    if number is None and parts > 1:
        return _document("sitemapindex", "sitemap", [Page(part(n)) for n in range(1, parts + 1)])
    if number is None:
        return _document("urlset", "url", pages)
    if not 1 <= number <= parts:
        return None
    return _document("urlset", "url", pages[(number - 1) * MOST : number * MOST])


def _document(root: str, tag: str, pages: Sequence[Page]) -> str:
    whole = Element(root, {"xmlns": _NAMESPACE})
    for page in pages:
        one = xml.add(whole, tag)
        xml.add(one, "loc", page.url)
        if page.changed:
            xml.add(one, "lastmod", page.changed)
    return xml.document(whole)
