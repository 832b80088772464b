"""Repairing what surrounds a feed's items, at byte level: text outside the document, and the root tag."""

from __future__ import annotations

import re
from itertools import pairwise

_NAME = rb"(?:[\w.-]+:)?(?P<name>rss|feed|rdf)"
_ROOT = re.compile(rb"<" + _NAME + rb"(?=[\s>])", re.IGNORECASE)
_END = re.compile(rb"</" + _NAME + rb"\s*>", re.IGNORECASE)
_PAGE = re.compile(rb"<(?:!doctype\s+)?html\b", re.IGNORECASE)
_DECLARATION = re.compile(rb"<\?xml\s", re.IGNORECASE)
_BLANK = b"\xef\xbb\xbf \t\r\n"  # with the byte order mark of UTF-8
_COMMENT = re.compile(rb"<!--(?:(?!--).)*-->", re.DOTALL)
_VALUE = rb"(?:\"[^\"<]*\"|'[^'<]*')"
_ATTRIBUTES = re.compile(rb"(?:[^<>\"']|" + _VALUE + rb")*")
_ATTRIBUTE = re.compile(rb"(?P<name>[^\s\"'=<>/]+)\s*=\s*(?P<value>" + _VALUE + rb")")
_PREFIX = re.compile(rb"<!\[CDATA\[.*?(?:\]\]>|\Z)|<!--.*?(?:-->|\Z)|<(?P<prefix>[A-Za-z_][\w.-]*):", re.DOTALL)
_DECLARED = re.compile(rb"\bxmlns:(?P<prefix>[A-Za-z_][\w.-]*)\s*=")
_MAX_TAG_BYTES = 20_000

# The namespaces that matter here; of any other, its prefix is enough.
_NAMESPACES = {
    b"atom": b"http://www.w3.org/2005/Atom",
    b"content": b"http://purl.org/rss/1.0/modules/content/",
    b"dc": b"http://purl.org/dc/elements/1.1/",
    b"itunes": b"http://www.itunes.com/dtds/podcast-1.0.dtd",
    b"media": b"http://search.yahoo.com/mrss/",
    b"podcast": b"https://podcastindex.org/namespace/1.0",
}


def without_text_around(content: bytes) -> bytes:
    """Remove what a server's software prints before the XML declaration or after the end of the feed.

    Comments may follow the end, and stay if they are well-formed. A web page is left as it is.
    """
    root = _ROOT.search(content)
    if root is None or _PAGE.search(content, 0, root.start()):
        return content
    ends = [found.end() for found in _END.finditer(content) if found["name"].lower() == root["name"].lower()]
    if ends and _COMMENT.sub(b"", content[ends[-1] :]).strip():
        content = content[: ends[-1]]
    begin = max((found.start() for found in _DECLARATION.finditer(content, 0, root.start())), default=0)
    return content[begin:] if content[:begin].strip(_BLANK) else content


def with_separate_attributes(content: bytes) -> bytes:
    """Separate the attributes of the root tag by spaces; of one that is given twice, the first is kept."""
    root = _ROOT.search(content)
    found = root and _ATTRIBUTES.match(content, root.end(), root.end() + _MAX_TAG_BYTES)
    if not found or content[found.end() : found.end() + 1] != b">":
        return content
    said = list(_ATTRIBUTE.finditer(found[0]))
    attributes = {one["name"]: one["value"] for one in reversed(said)}
    if len(attributes) == len(said) and all(one.end() < other.start() for one, other in pairwise(said)):
        return content
    written = b"".join(b" " + name + b"=" + attributes[name] for name in sorted(attributes))
    return content[: found.start()] + written + content[found.end() :]


def with_declared_prefixes(content: bytes) -> bytes:
    """Declare the prefixes of tags that are declared nowhere, in the root tag."""
    used = {found["prefix"] for found in _PREFIX.finditer(content) if found["prefix"]}
    missing = used - {found["prefix"] for found in _DECLARED.finditer(content)}
    root = _ROOT.search(content)
    if root is None or not missing:
        return content
    written = b"".join(b' xmlns:%b="%b"' % (name, _NAMESPACES.get(name, name)) for name in sorted(missing))
    return content[: root.end()] + written + content[root.end() :]
