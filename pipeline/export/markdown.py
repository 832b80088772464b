"""Markdown as text: making what people said plain in it (https://spec.commonmark.org/). Knows not what it says."""

from __future__ import annotations

import re

# All that can begin something in CommonMark or in what GitHub adds to it; a backslash makes it plain (section 2.4).
_MARKUP = re.compile(r"[\\`*_\[\]()<>&~|{}#!$:@]")
# GitHub makes a link of an address that begins so, without any markup.
_BARE_LINK = re.compile(r"\b(www)\.", re.IGNORECASE)
# What makes a list or a heading, and only where a line begins (sections 4.3, 5.2).
_BEGINNING = re.compile(r"^(\d*)([-+=.])")
# Before it there may be spaces (section 4.3); enough of them make code (4.4). Written as an entity (2.5) it is a space.
_INDENT = re.compile(r"^[ \t]")


def escaped(text: str) -> str:
    """Return text that is shown as it is, on one line, whatever is in it."""
    plain = _BARE_LINK.sub(r"\1\\.", _MARKUP.sub(r"\\\g<0>", text))
    plain = _INDENT.sub(lambda found: f"&#{ord(found[0])};", plain)
    return _BEGINNING.sub(r"\1\\\2", plain).replace("\r", "&#13;").replace("\n", "&#10;")
