"""Repairing malformed feeds at byte level, before parsing: mistakes that would make the whole feed unreadable."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from functools import partial
from html.entities import html5
from xml.parsers import expat

from pipeline.feeds.envelope import with_declared_prefixes, with_separate_attributes, without_text_around

# UTF-8 sequences of more than one byte (RFC 3629), and bytes that belong to none.
_BEYOND_ASCII = re.compile(
    rb"(?P<whole>[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3})|(?P<stray>[\x80-\xff])"
)
_OTHER_ENCODING = re.compile(rb"<\?xml[^>]*encoding\s*=\s*[\"'](?!utf-?8[\"'])", re.IGNORECASE)
_NAMED = re.compile(rb"&([A-Za-z][A-Za-z0-9]{1,31});|<!\[CDATA\[.*?(?:\]\]>|\Z)", re.DOTALL)
_LITERAL = rb"<!\[CDATA\[.*?(?:\]\]>|\Z)|<!--.*?(?:-->|\Z)"  # where “&” and “<” are literal in XML
_BARE_AND = re.compile(_LITERAL + rb"|&(?!#\d+;|#x[0-9A-Fa-f]+;|(?:amp|lt|gt|quot|apos);)", re.DOTALL)
_BARE_LESS = re.compile(_LITERAL + rb"|<(?!/?[A-Za-z_:\x80-\xff]|[!?])", re.DOTALL)  # not the beginning of a tag
_XML = {b"amp", b"lt", b"gt", b"quot", b"apos"}
_BARE_END = re.compile(_LITERAL + rb"|\]\]>", re.DOTALL)
# A section written as text is not shown by browsers, nor read by feedparser; the text itself has no tags.
_CDATA_AS_TEXT = re.compile(_LITERAL + rb"|&lt;!\[CDATA\[(?P<inside>(?:(?!&lt;!\[)[^<])*?)\]\]&gt;", re.DOTALL)
_COMMENT = re.compile(rb"<!\[CDATA\[.*?(?:\]\]>|\Z)|<!--(?P<comment>.*?)(?:-->|\Z)", re.DOTALL)
_TAG = re.compile(_LITERAL + rb"|<[A-Za-z_](?:[^<>\"']|\"[^\"<]*\"|'[^'<]*')*>", re.DOTALL)
_VALUE = re.compile(rb"\"[^\"]*\"|'[^']*'|=\s*(?P<bare>[^\s\"'<>]+?)(?=\s|/?>)")
_BEGUN_TWICE = re.compile(rb"<!\[CDATA\[(?:\s*<!\[CDATA\[)+")
_ENDED_TWICE = re.compile(rb"\]\]>(?:\s*\]\]>)+")
# Characters that XML 1.0 does not allow (section 2.2), literally and as character references.
_CONTROLS = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_NONCHARACTERS = re.compile(rb"\xef\xbf[\xbe\xbf]")  # in UTF-8
_BY_NUMBER = re.compile(_LITERAL + rb"|&#(?:(?P<decimal>\d{1,10})|x(?P<hexadecimal>[0-9A-Fa-f]{1,8}));", re.DOTALL)
# Encodings in which an ASCII byte may be part of another character, such as ISO-2022-JP.
_SHIFTING = re.compile(rb"<\?xml[^>]*encoding\s*=\s*[\"'](?:iso-2022|hz|utf-?7)", re.IGNORECASE)


def mended(content: bytes) -> tuple[bytes, list[str]]:
    """Return a feed's bytes with common mistakes repaired, and a warning for each kind of repair.

    Leading white space is stripped without a warning.

    A few stray Windows-1252 bytes would keep UTF-8 text from being decoded as such, and turn every “ into â€œ. HTML
    entities such as ``&eacute;`` do not exist in XML. In a feed that declares its own entities, entities, “&” and “<”
    are left as they are.
    """
    content = content.lstrip()  # white space before the XML declaration is a common mistake of blog software
    warnings = []
    stray = _stray_bytes(content)
    if stray:
        content = _BEYOND_ASCII.sub(_as_utf8, content)
        warnings.append(f"{stray} of the feed's bytes are not UTF-8 like the rest, and were read as Windows-1252")
    if not _has_ascii(content):
        return content, warnings
    allowed = _without_forbidden(content)
    if allowed != content:
        content = allowed
        warnings.append("the feed has characters that XML does not allow; they were left out")
    if b"<!ENTITY" in content:  # not even looked through: a few of them can expand enormously
        return content, warnings
    for slip, mend in (_TEXT_SLIPS if _is_well_formed(content) else _SLIPS).items():
        without = mend(content)
        if without != content:
            content = without
            warnings.append(f"the feed has {slip}; this was corrected")
    return content, warnings


def _is_well_formed(content: bytes) -> bool:
    """Tell whether XML, with its namespaces, can be read as it is."""
    try:
        expat.ParserCreate(namespace_separator=" ").Parse(content, True)
    except (expat.ExpatError, LookupError, ValueError):  # or of an encoding that Python does not know
        return False
    return True


def _stray_bytes(content: bytes) -> int:
    """The number of invalid bytes in text that is otherwise UTF-8; 0 if it is valid, or not plainly UTF-8."""
    try:
        content.decode()
    except UnicodeDecodeError:
        if _OTHER_ENCODING.match(content) or not _has_ascii(content):
            return 0
        kinds = Counter(found.lastgroup for found in _BEYOND_ASCII.finditer(content))
        return kinds["stray"] if kinds["stray"] < kinds["whole"] else 0
    return 0


def _has_ascii(content: bytes) -> bool:
    """Tell whether every byte below 128 is its ASCII character; not so in UTF-16 (XML 1.0, appendix F)."""
    is_wide = content.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in content[:4]
    return not is_wide and _SHIFTING.match(content) is None


def _without_forbidden(content: bytes) -> bytes:
    """Remove the characters that XML does not allow, including character references to them."""
    content = _CONTROLS.sub(b"", content)
    if not _OTHER_ENCODING.match(content):
        content = _NONCHARACTERS.sub(b"", content)
    return _BY_NUMBER.sub(_if_allowed, content).lstrip()


def _if_allowed(found: re.Match[bytes]) -> bytes:
    if not found["decimal"] and not found["hexadecimal"]:
        return found[0]
    number = int(found["decimal"] or found["hexadecimal"], 10 if found["decimal"] else 16)
    is_character = 0x20 <= number <= 0xD7FF or 0xE000 <= number <= 0xFFFD or 0x10000 <= number <= 0x10FFFF
    return found[0] if is_character or number in {0x9, 0xA, 0xD} else b""


def _escaped(found: re.Match[bytes]) -> bytes:
    return {b"&": b"&amp;", b"<": b"&lt;", b"]]>": b"]]&gt;"}.get(found[0], found[0])


def _as_section(found: re.Match[bytes]) -> bytes:
    return found[0] if found["inside"] is None else found["inside"]


def _if_plain(found: re.Match[bytes]) -> bytes:
    comment, is_closed = found["comment"], found[0].endswith(b"-->")
    is_odd = comment is not None and is_closed and (b"--" in comment or comment.endswith(b"-"))
    return b"" if is_odd else found[0]


def _with_quotes(found: re.Match[bytes]) -> bytes:
    if found[0].startswith(b"<!"):
        return found[0]
    return _VALUE.sub(lambda value: b'="%b"' % value["bare"] if value["bare"] else value[0], found[0])


def _once(content: bytes) -> bytes:
    return _ENDED_TWICE.sub(b"]]>", _BEGUN_TWICE.sub(b"<![CDATA[", content))


def _as_utf8(found: re.Match[bytes]) -> bytes:
    return found["whole"] or found["stray"].decode("windows-1252", "replace").encode()


def _as_number(found: re.Match[bytes]) -> bytes:
    if found[1] is None or found[1] in _XML:
        return found[0]
    characters = html5.get(f"{found[1].decode()};", "")
    return "".join(f"&#{ord(character)};" for character in characters).encode() or found[0]


_TEXT_SLIPS: dict[str, Callable[[bytes], bytes]] = {  # in XML that is well-formed, too
    "CDATA sections written as text": partial(_CDATA_AS_TEXT.sub, _as_section),
}
_SLIPS: dict[str, Callable[[bytes], bytes]] = {
    "text before its XML declaration or after its end": without_text_around,
    "comments with “--” in them": partial(_COMMENT.sub, _if_plain),
    "CDATA sections within others": _once,
    **_TEXT_SLIPS,
    "HTML entities where only XML's are allowed": partial(_NAMED.sub, _as_number),
    "“&” where XML requires “&amp;”": partial(_BARE_AND.sub, _escaped),
    "“<” where XML requires “&lt;”": partial(_BARE_LESS.sub, _escaped),
    "“]]>” where XML requires “]]&gt;”": partial(_BARE_END.sub, _escaped),
    "attributes without quotes": partial(_TAG.sub, _with_quotes),
    "a root tag with attributes that touch or are repeated": with_separate_attributes,
    "prefixes that are not declared": with_declared_prefixes,
}
