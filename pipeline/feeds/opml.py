"""Lists of feeds as podcast programs exchange them (OPML 2.0). Knows nothing of feeds.yaml, and visits nothing."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple
from xml.etree import ElementTree as ET
from xml.parsers import expat

from pipeline.errors import ConfigError
from pipeline.web import scheme

_AS_FEED = {"feed", "itpc", "pcast"}  # schemes with which a podcast program is opened


class Outline(NamedTuple):
    """A show in a list: its title and the address of its feed."""

    title: str
    url: str


class Listing(NamedTuple):
    """What a list has: shows whose feeds can be visited, and the titles of those of which the address is none."""

    shows: tuple[Outline, ...]
    left_out: tuple[str, ...]


def read_opml(content: bytes) -> Listing:
    """Return the shows of a list, in its order and each once, whatever groups they are in.

    Raises:
        ConfigError: it is no OPML, or declares entities of its own.
    """
    found: dict[str, Outline] = {}
    left_out: dict[str, None] = {}
    roots: list[str] = []

    def start(name: str, attributes: dict[str, str]) -> None:
        roots.append(name.lower())
        said = {key.lower(): value.strip() for key, value in attributes.items()}
        if name.lower() != "outline":
            return
        url = _address(said.get("xmlurl", ""))
        title = said.get("title") or said.get("text") or url
        if scheme(url) in {"http", "https"}:
            found.setdefault(url, Outline(title, url))
        elif url or said.get("type", "").lower() == "rss":  # others are groups
            left_out[f"{title} ({url or 'no address'})" if title != url else url] = None

    def refuse(*_declaration: object) -> None:
        raise ConfigError("is no list of feeds that can be read: it declares entities of its own")

    parser = expat.ParserCreate()
    parser.StartElementHandler = start
    parser.EntityDeclHandler = refuse
    try:
        parser.Parse(content.lstrip(), True)
    except (expat.ExpatError, ValueError, LookupError) as error:
        raise ConfigError(f"is no OPML that can be read ({error})") from error
    if roots[:1] != ["opml"]:
        raise ConfigError("is no OPML")
    return Listing(tuple(found.values()), tuple(left_out))


def _address(url: str) -> str:
    """A feed's address as it is visited: programs write ``feed://host/path``, or ``feed:https://host/path``."""
    kind, _, rest = url.partition(":")
    if kind.lower() not in _AS_FEED:
        return url
    return f"https:{rest}" if rest.startswith("//") else rest


def write_opml(shows: Iterable[Outline], *, title: str) -> bytes:
    """Write a list that other programs read."""
    root = ET.Element("opml", version="2.0")
    ET.SubElement(ET.SubElement(root, "head"), "title").text = title
    body = ET.SubElement(root, "body")
    for show in shows:
        ET.SubElement(body, "outline", type="rss", text=show.title, title=show.title, xmlUrl=show.url)
    ET.indent(root)
    return bytes(ET.tostring(root, encoding="utf-8", xml_declaration=True))
