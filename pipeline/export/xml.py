"""XML as text. Elements and prefixes are written as they are named, so that nothing has to be registered."""

from __future__ import annotations

import re
from xml.etree import ElementTree

# XML 1.0 section 2.2: what is not a character there may not stand in a document in any form.
_NO_CHARACTERS = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def clean(text: str) -> str:
    """Leave out what XML cannot hold."""
    return _NO_CHARACTERS.sub("", text)


def document(root: ElementTree.Element) -> str:
    """Write a whole document, indented."""
    ElementTree.indent(root)
    body = ElementTree.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{body}\n'
