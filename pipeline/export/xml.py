"""Writing XML. Elements are named with their prefixes, so that no namespaces need to be registered."""

from __future__ import annotations

import re
from xml.etree import ElementTree

# XML 1.0, section 2.2: other characters are not allowed in a document, not even as references.
_NO_CHARACTERS = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def clean(text: str) -> str:
    """Remove characters that XML does not allow."""
    return _NO_CHARACTERS.sub("", text)


def add(parent: ElementTree.Element, tag: str, text: str | None = None, **attributes: str) -> ElementTree.Element:
    """Append an element with this text and these attributes, and return it."""
    added = ElementTree.SubElement(parent, tag, {name: clean(value) for name, value in attributes.items()})
    added.text = None if text is None else clean(text)
    return added


def document(root: ElementTree.Element) -> str:
    """Serialise a whole document, indented."""
    ElementTree.indent(root)
    body = ElementTree.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{body}\n'
