"""Describing a publisher's changes to an episode as plain text of limited length. Pure functions."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import takewhile

import nh3

from pipeline.archive.episodes import Change
from pipeline.site.wording import moment
from pipeline.text import shortened
from pipeline.times import clock

SHOWN = 50  # changes; a feed may change something at every poll
WIDTH = 240  # characters of a value
_ALIKE = 4  # words shown of a common beginning
_FIELDS: Mapping[str, str] = {
    "title": "Title",
    "published": "Date",
    "link": "Page",
    "enclosure_url": "Address of the audio",
    "enclosure_type": "Kind of audio",
    "declared_duration": "Length declared by the feed",
    "notes_html": "Show notes",
    "guid": "Additional guid in the feed",
}


@dataclass(frozen=True, slots=True)
class Told:
    """A change to show; ``was`` is empty if there was no value before."""

    noticed_at: str
    field: str
    was: str
    became: str


def told(changes: Iterable[Change]) -> Iterator[Told]:
    """Describe changes, in order; invisible ones are skipped."""
    for change in changes:
        was, became = (_plain(change.field, value or "") for value in (change.was, change.became))
        if was != became:
            name = _FIELDS.get(change.field, change.field.replace("_", " "))
            yield Told(change.noticed_at, name, *_differing(was, became))


def _plain(field: str, value: str) -> str:
    """A value in readable form."""
    if field == "notes_html":
        # A space for each tag, so that paragraphs stay apart.
        return " ".join(html.unescape(nh3.clean(value.replace("<", " <"), tags=set())).split())
    if field == "published":
        return moment(value)
    if field == "declared_duration" and re.fullmatch(r"[0-9]{1,9}(\.[0-9]*)?", value):
        return clock(float(value))
    if field == "enclosure_url":
        return value.partition("?")[0]  # the query may contain private tokens
    return value


def _differing(was: str, became: str) -> tuple[str, str]:
    """Two texts from shortly before their first difference, cut to ``WIDTH`` characters."""
    before, after = was.split(), became.split()
    alike = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(before, after, strict=False)))
    cut = alike - _ALIKE if max(len(was), len(became)) > WIDTH else 0
    if cut > 0:
        was, became = (" ".join(["…", *words[cut:]]) for words in (before, after))
    return shortened(was, WIDTH), shortened(became, WIDTH)
