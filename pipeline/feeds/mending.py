"""Slips of feeds that would cost all of their words, mended in their bytes before they are read. Parses nothing."""

from __future__ import annotations

import re
from collections import Counter
from html.entities import html5

# UTF-8's characters of more than one byte (RFC 3629), and bytes that are none of these.
_BEYOND_ASCII = re.compile(
    rb"(?P<whole>[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3})|(?P<stray>[\x80-\xff])"
)
_OTHER_ENCODING = re.compile(rb"<\?xml[^>]*encoding\s*=\s*[\"'](?!utf-?8[\"'])", re.IGNORECASE)
_NAMED = re.compile(rb"&([A-Za-z][A-Za-z0-9]{1,31});|<!\[CDATA\[.*?(?:\]\]>|\Z)", re.DOTALL)
_BARE = re.compile(
    rb"<!\[CDATA\[.*?(?:\]\]>|\Z)|<!--.*?(?:-->|\Z)|&(?!#\d+;|#x[0-9A-Fa-f]+;|(?:amp|lt|gt|quot|apos);)", re.DOTALL
)
_XML = {b"amp", b"lt", b"gt", b"quot", b"apos"}


def mended(content: bytes) -> tuple[bytes, list[str]]:
    """Return a feed's bytes without white space before its beginning and other slips, and what was mended.

    A few stray bytes of Windows-1252 make text that is UTF-8 unreadable as such, and every “ in it would become â€œ.
    Entities of HTML, such as ``&eacute;``, are none of XML. A feed that declares entities of its own is left as it is.
    """
    content = content.lstrip()  # before the XML declaration it is a common slip of blog software
    warnings = []
    stray = _stray_bytes(content)
    if stray:
        content = _BEYOND_ASCII.sub(_as_utf8, content)
        warnings.append(f"{stray} of the feed's bytes are not UTF-8 as the rest is, and were read as Windows-1252")
    if b"<!ENTITY" not in content:
        without_names = _NAMED.sub(_as_number, content)
        if without_names != content:
            content = without_names
            warnings.append("the feed has HTML's names of characters where only XML's are allowed, which were mended")
        without_bare = content if _is_wide(content) else _BARE.sub(_escaped, content)
        if without_bare != content:
            content = without_bare
            warnings.append("the feed has “&” where XML wants “&amp;”, which was mended")
    return content, warnings


def _stray_bytes(content: bytes) -> int:
    """How many bytes of text that is plainly UTF-8 are not."""
    try:
        content.decode()
    except UnicodeDecodeError:
        if _OTHER_ENCODING.match(content) or _is_wide(content):
            return 0
        kinds = Counter(found.lastgroup for found in _BEYOND_ASCII.finditer(content))
        return kinds["stray"] if kinds["stray"] < kinds["whole"] else 0
    return 0


def _is_wide(content: bytes) -> bool:
    """Whether characters take two bytes or more each, as in UTF-16 (XML 1.0, appendix F)."""
    return content.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in content[:4]


def _escaped(found: re.Match[bytes]) -> bytes:
    return b"&amp;" if found[0] == b"&" else found[0]


def _as_utf8(found: re.Match[bytes]) -> bytes:
    return found["whole"] or found["stray"].decode("windows-1252", "replace").encode()


def _as_number(found: re.Match[bytes]) -> bytes:
    if found[1] is None or found[1] in _XML:
        return found[0]
    characters = html5.get(f"{found[1].decode()};", "")
    return "".join(f"&#{ord(character)};" for character in characters).encode() or found[0]
