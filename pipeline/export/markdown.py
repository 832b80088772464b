"""Escaping text for Markdown (https://spec.commonmark.org/)."""

from __future__ import annotations

import re

# Characters with a special meaning in CommonMark or GitHub's extensions; a backslash escapes them (section 2.4). A
# parenthesis or exclamation mark has one only beside a bracket, which is escaped. An ampersand may begin an entity, and
# a colon an emoji's name or what follows a scheme. All others stay: text is often pasted where nothing renders it.
_MARKUP = re.compile(r"[\\`*_\[\]<>~|{}#$@]|&(?=#?\w+;)|:(?=//|[\w+-]*[A-Za-z][\w+-]*:)")
# GitHub turns such an address into a link without any markup.
_BARE_LINK = re.compile(r"\b(www)\.", re.IGNORECASE)
# Marks of lists and headings, which are special only at the beginning of a line (sections 4.3, 5.2).
_BEGINNING = re.compile(r"^(\d*)([-+=.)])")
# Leading spaces may precede these (section 4.3), and enough of them make a code block (4.4). An entity (2.5) is a plain
# space.
_INDENT = re.compile(r"^[ \t]")


def escaped(text: str) -> str:
    """Return text in one line that renders literally."""
    plain = _BARE_LINK.sub(r"\1\\.", _MARKUP.sub(r"\\\g<0>", text))
    plain = _INDENT.sub(lambda found: f"&#{ord(found[0])};", plain)
    return _BEGINNING.sub(r"\1\\\2", plain).replace("\r", "&#13;").replace("\n", "&#10;")
