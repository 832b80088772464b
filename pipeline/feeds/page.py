"""An episode's web page: its address and its main text. Fetches nothing, and does not look for questions."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import urljoin, urlsplit, urlunsplit

from pipeline.feeds.notes import to_text
from pipeline.feeds.transcripts.markup import HIDDEN, without_comments
from pipeline.net.urls import scheme

# Query parameters for tracking readers, or for replying to a comment (WordPress).
_NOISE = re.compile(r"utm_\w*|fbclid|gclid|mc_[ce]id|replytocom|share|at_\w+", re.IGNORECASE)

_TOKEN = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]{0,20})((?:[\s/][^<>]*)?)>")
_ATTRIBUTE = re.compile(r"([a-zA-Z-]{1,20})\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s\"'<>]+))")
_CHARSET = re.compile(rb"<meta[^<>]{0,200}?charset\s*=\s*[\"']?([A-Za-z0-9_:.-]{1,40})", re.IGNORECASE)
# Encodings of host names: decoding a whole page takes time that grows with the square of its length.
_NO_PAGES = {"punycode", "idna"}
_ABOUT_THE_PAGE = {*HIDDEN, "aside", "button", "footer", "header", "iframe", "nav", "noscript", "select", "svg"}
_COMMENTS = re.compile(r"(?:comments?|commentlist|respond|disqus)(?:[-_]|$)", re.IGNORECASE)
_VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
_KEPT = {"br", "h1", "h2", "h3", "h4", "h5", "h6", "li", "ol", "p", "table", "td", "th", "tr", "ul"}
_BLOCKS = {"article", "blockquote", "dd", "div", "dl", "dt", "figcaption", "figure", "main", "pre", "section"}


@dataclass(frozen=True, slots=True)
class Page:
    """A page; ``address`` is its canonical address if it declares one (RFC 6596), else the one it was fetched from."""

    address: str
    text: str


@dataclass(frozen=True, slots=True)
class _Tag:
    closing: bool
    name: str
    attributes: dict[str, str] = field(default_factory=dict)


def page_address(link: str) -> str | None:
    """Return the address of an episode's page without tracking parameters and fragment.

    None if the link cannot be the page of an episode: it has another scheme than http(s), or is a site's front page.
    """
    if scheme(link) not in {"http", "https"}:
        return None
    parts = urlsplit(link)
    query = "&".join(pair for pair in parts.query.split("&") if not _NOISE.fullmatch(pair.partition("=")[0]))
    if parts.path in {"", "/"} and not query:
        return None
    return urlunsplit((parts.scheme, parts.netloc, parts.path, query, ""))


def read_page(content: bytes, *, content_type: str, address: str) -> Page:
    """Parse a web page.

    Args:
        content: the page as received.
        content_type: the Content-Type header of the response.
        address: the URL it was fetched from, after redirects.
    """
    markup = without_comments(_decoded(content, content_type))
    return Page(_canonical(markup, address), to_text(_main(markup)))


def _decoded(content: bytes, content_type: str) -> str:
    said = re.search(r"charset=[\"']?([\w:.-]+)", content_type, re.ASCII | re.IGNORECASE)
    written = _CHARSET.search(content[:4096])
    for encoding in (said and said[1], written and written[1].decode("ascii"), "utf-8"):
        try:
            if codecs.lookup(encoding or "utf-8").name not in _NO_PAGES:
                return content.decode(encoding or "utf-8")
        except (LookupError, UnicodeError):  # unknown encoding, or not valid in it
            continue
    return content.decode("cp1252", errors="replace")


def _canonical(markup: str, address: str) -> str:
    for tag, _ in _tokens(markup):
        if tag and tag.name == "link" and "canonical" in tag.attributes.get("rel", "").lower().split():
            try:
                given = urljoin(address, tag.attributes.get("href", ""))
            except ValueError:  # such as `http://[`
                continue
            return given if scheme(given) in {"http", "https"} else address
    return address


def _main(markup: str) -> str:
    """The longest ``article``, else the longest ``main``, else everything; without menus, asides and comments."""
    parts: list[str] = []
    size = 0
    begun: dict[str, list[tuple[int, int]]] = {"article": [], "main": []}  # part and offset of open elements
    whole: dict[str, list[tuple[int, int, int]]] = {"article": [], "main": []}  # size, begin and end of closed ones
    for tag, text in _shown(markup):
        if tag and tag.name in begun and not tag.closing:
            begun[tag.name].append((len(parts), size))
        parts.append(_written(tag) if tag else " ".join(re.split(r"\s+", text)))
        size += len(parts[-1])
        if tag and tag.closing and begun.get(tag.name):
            begin, before = begun[tag.name].pop()
            whole[tag.name].append((size - before, begin, len(parts)))
    _, begin, end = max(whole["article"] or whole["main"] or [(size, 0, len(parts))])
    return "".join(parts[begin:end])


def _written(tag: _Tag) -> str:
    """A tag as ``to_text`` needs it; blocks become line breaks, since nested tags would be slow to clean."""
    slash = "/" if tag.closing else ""
    if tag.name in _BLOCKS:
        return "<br><br>"
    if tag.name not in _KEPT:
        return ""
    start = tag.attributes.get("start", "") if tag.name == "ol" else ""
    return f'<ol start="{start}">' if start.isdecimal() else f"<{slash}{tag.name}>"


def _shown(markup: str) -> Iterator[tuple[_Tag | None, str]]:
    """Tags and text, without navigation, other page furniture and comments."""
    hidden: str | None = None
    depth = 0
    for tag, text in _tokens(markup):
        if hidden is None:
            if tag and not tag.closing and tag.name not in _VOID and _is_about_the_page(tag):
                hidden, depth = tag.name, 1
            else:
                yield tag, text
        elif tag and tag.name == hidden:
            nests = hidden not in HIDDEN  # the text of a script may contain “<script>”
            depth += -1 if tag.closing else nests
            hidden = hidden if depth else None


def _is_about_the_page(tag: _Tag) -> bool:
    if tag.name in {"html", "body", "main"}:
        return False
    names = f"{tag.attributes.get('id', '')} {tag.attributes.get('class', '')}".split()
    return tag.name in _ABOUT_THE_PAGE or any(_COMMENTS.match(name) for name in names)


def _tokens(markup: str) -> Iterator[tuple[_Tag | None, str]]:
    """The page as tags and the text between them."""
    place = 0
    for token in _TOKEN.finditer(markup):
        if token.start() > place:
            yield None, markup[place : token.start()]
        place = token.end()
        attributes = {name.lower(): a or b or c for name, a, b, c in _ATTRIBUTE.findall(token[3])}
        yield _Tag(bool(token[1]), token[2].lower(), attributes), ""
    if place < len(markup):
        yield None, markup[place:]
