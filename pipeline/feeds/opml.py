"""Lists of feeds as podcast apps exchange them (OPML 2.0). Neither reads feeds.yaml nor fetches anything."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple
from xml.etree import ElementTree as ET
from xml.parsers import expat

from pipeline.config import checked_address
from pipeline.errors import ConfigError
from pipeline.net.urls import scheme

_AS_FEED = {"feed", "itpc", "pcast"}  # URL schemes that open a podcast app


class Outline(NamedTuple):
    """A show in a list: its title and the address of its feed."""

    title: str
    url: str


class FeedList(NamedTuple):
    """The contents of a list: shows with a usable feed address, and descriptions of the entries without one."""

    shows: tuple[Outline, ...]
    left_out: tuple[str, ...]


def read_opml(content: bytes) -> FeedList:
    """Return the shows of a list, in order and without duplicates, whatever groups they are in.

    Raises:
        ConfigError: it is not OPML, or declares entities.
    """
    found = _Found()

    def refuse(*_declaration: object) -> None:
        raise ConfigError("cannot be read as a list of feeds: it declares entities of its own")

    parser = expat.ParserCreate()
    parser.StartElementHandler = found.start
    parser.EndElementHandler = found.end
    parser.EntityDeclHandler = refuse
    try:
        parser.Parse(content.lstrip(), True)
    except (expat.ExpatError, ValueError, LookupError) as error:
        raise ConfigError(f"cannot be read as OPML ({error})") from error
    if found.root != "opml":
        raise ConfigError("is not OPML")
    return FeedList(tuple(found.shows.values()), tuple(found.left_out))


class _Found:
    """Collects what has been parsed of a list so far."""

    def __init__(self) -> None:
        self.root: str | None = None
        self.shows: dict[str, Outline] = {}
        self.left_out: dict[str, None] = {}
        self._lacking: list[str] = []  # for each open outline, the description to report unless it has children

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        """Handle the start of an element."""
        self.root = self.root or name.lower()
        if name.lower() != "outline":
            return
        if self._lacking:
            self._lacking[-1] = ""
        self._lacking.append("")
        said = {key.lower(): value.strip() for key, value in attributes.items()}
        url = _address(said.get("xmlurl", ""))
        title = said.get("title") or said.get("text") or url
        if _is_of_the_web(url):
            self.shows.setdefault(url, Outline(title, url))
        elif url:
            self.left_out[f"{title} ({url})" if title != url else url] = None
        elif said.get("type", "").lower() == "rss":
            self._lacking[-1] = f"{title or 'a show without a title'} (no address)"

    def end(self, name: str) -> None:
        """Handle the end of an element."""
        if name.lower() == "outline" and (what := self._lacking.pop()):
            self.left_out[what] = None


def _is_of_the_web(url: str) -> bool:
    """Tell whether an address is one of the web that feeds.yaml may have."""
    try:
        return scheme(checked_address(url)) in {"http", "https"}
    except ValueError:
        return False


def _address(url: str) -> str:
    """Convert a feed address to the http(s) form: apps write ``feed://host/path`` or ``feed:https://host/path``."""
    kind, _, rest = url.partition(":")
    if kind.lower() not in _AS_FEED:
        return url
    return f"https:{rest}" if rest.startswith("//") else rest


def write_opml(shows: Iterable[Outline], *, title: str) -> bytes:
    """Write a list that other programs can import."""
    root = ET.Element("opml", version="2.0")
    ET.SubElement(ET.SubElement(root, "head"), "title").text = title
    body = ET.SubElement(root, "body")
    for show in shows:
        ET.SubElement(body, "outline", type="rss", text=show.title, title=show.title, xmlUrl=show.url)
    ET.indent(root)
    return bytes(ET.tostring(root, encoding="utf-8", xml_declaration=True))
