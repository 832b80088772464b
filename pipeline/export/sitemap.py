"""The pages of a site for search engines (sitemaps.org, protocol 0.9), in files of at most 50,000. Finds no pages."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from xml.etree.ElementTree import Element, SubElement

from pipeline.export import xml

CONTENT_TYPE = "application/xml; charset=utf-8"
MOST = 50_000  # pages in a file; 45 MB of our longest addresses would be within the protocol's 50 MB
_NAMESPACE = "http://www.sitemaps.org/schemas/sitemap/0.9"


@dataclass(frozen=True, slots=True)
class Page:
    """A page; ``changed`` is the moment at which it last did, if that is known."""

    url: str
    changed: str | None = None


def sitemap(pages: Sequence[Page], part: Callable[[int], str], number: int | None = None) -> str | None:
    """Write the map, or where one does not hold all pages the list of its parts.

    Args:
        pages: all pages.
        part: gives the whole address of a part of the map.
        number: of the part that is asked for, from 1; None for the map itself.

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
        one = SubElement(whole, tag)
        SubElement(one, "loc").text = xml.clean(page.url)
        if page.changed:
            SubElement(one, "lastmod").text = xml.clean(page.changed)
    return xml.document(whole)
