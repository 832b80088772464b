"""Lists of feeds as podcast programs exchange them (OPML 2.0). Knows nothing of feeds.yaml, and visits nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple
from xml.etree import ElementTree as ET
from xml.parsers import expat

from pipeline.errors import ConfigError
from pipeline.net.urls import scheme

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
    found = _Found()

    def refuse(*_declaration: object) -> None:
        raise ConfigError("is no list of feeds that can be read: it declares entities of its own")

    parser = expat.ParserCreate()
    parser.StartElementHandler = found.start
    parser.EndElementHandler = found.end
    parser.EntityDeclHandler = refuse
    try:
        parser.Parse(content.lstrip(), True)
    except (expat.ExpatError, ValueError, LookupError) as error:
        raise ConfigError(f"is no OPML that can be read ({error})") from error
    if found.root != "opml":
        raise ConfigError("is no OPML")
    return Listing(tuple(found.shows.values()), tuple(found.left_out))


class _Found:
    """What has been read of a list so far."""

    def __init__(self) -> None:
        self.root: str | None = None
        self.shows: dict[str, Outline] = {}
        self.left_out: dict[str, None] = {}
        self._lacking: list[str] = []  # of each outline that is open, what to say of it if it turns out to be no group

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        """Take an element that begins."""
        self.root = self.root or name.lower()
        if name.lower() != "outline":
            return
        if self._lacking:
            self._lacking[-1] = ""
        self._lacking.append("")
        said = {key.lower(): value.strip() for key, value in attributes.items()}
        url = _address(said.get("xmlurl", ""))
        title = said.get("title") or said.get("text") or url
        if scheme(url) in {"http", "https"}:
            self.shows.setdefault(url, Outline(title, url))
        elif url:
            self.left_out[f"{title} ({url})" if title != url else url] = None
        elif said.get("type", "").lower() == "rss":
            self._lacking[-1] = f"{title or 'a show without a title'} (no address)"

    def end(self, name: str) -> None:
        """Take the end of an element."""
        if name.lower() == "outline" and (what := self._lacking.pop()):
            self.left_out[what] = None


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
