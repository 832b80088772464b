"""The sample show's feed: show notes in the manner of a real interview show, and RSS 2.0. No sound here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from email.utils import format_datetime
from html import escape

from script import Episode, Show


@dataclass(frozen=True, slots=True)
class Enclosure:
    """An episode's audio: file name (the feed links to it relatively), bytes and seconds."""

    name: str
    size: int
    duration: float


def notes_html(show: Show, episode: Episode) -> str:
    """Write one episode's notes: label, introduction, question list, and both once more, as real feeds do."""
    asked_by = f"The full list of questions, posed by {show.publisher} associate editor {show.host}, is:"
    numbered = [f"{number}){text}" for number, text in enumerate(episode.questions, start=1)]
    paragraphs = [escape(text, quote=False) for text in [*episode.notes, asked_by, *numbered]]
    # The first question shares the paragraph of the line that announces the list.
    head = len(episode.notes)
    paragraphs[head : head + 2] = ["<br />\n".join(paragraphs[head : head + 2])]
    return "\n".join(f"<p>{text}</p>" for text in [escape(show.label, quote=False), *paragraphs, *paragraphs])


def feed_xml(show: Show, enclosures: Sequence[Enclosure]) -> str:
    """Write the whole feed; ``enclosures`` are in the order of the show's episodes."""
    items = "".join(_item(show, e, audio) for e, audio in zip(show.episodes, enclosures, strict=True))
    newest = max(episode.published for episode in show.episodes)
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<rss version="2.0" xmlns:itunes="http://www.itunes.com/dtds/podcast-1.0.dtd"
     xmlns:podcast="https://podcastindex.org/namespace/1.0">
  <channel>
    <title>{escape(show.title)}</title>
    <link>{escape(show.link)}</link>
    <description>{escape(show.description)}</description>
    <language>en-gb</language>
    <lastBuildDate>{format_datetime(newest, usegmt=True)}</lastBuildDate>
    <itunes:author>{escape(show.publisher)}</itunes:author>
    <itunes:category text="Government" />
    <itunes:explicit>false</itunes:explicit>
    <itunes:type>episodic</itunes:type>
    <podcast:guid>{escape(show.guid)}</podcast:guid>
    <podcast:locked>no</podcast:locked>
    <podcast:medium>podcast</podcast:medium>
{items}  </channel>
</rss>
"""


def _item(show: Show, episode: Episode, audio: Enclosure) -> str:
    minutes, seconds = divmod(round(audio.duration), 60)
    return f"""    <item>
      <title>{escape(episode.title)}</title>
      <guid isPermaLink="false">{escape(episode.guid)}</guid>
      <link>{escape(f"{show.link}/{episode.number}")}</link>
      <pubDate>{format_datetime(episode.published, usegmt=True)}</pubDate>
      <description><![CDATA[{notes_html(show, episode)}]]></description>
      <enclosure url="{escape(audio.name)}" length="{audio.size}" type="audio/mpeg" />
      <itunes:author>{escape(show.publisher)}</itunes:author>
      <itunes:duration>{minutes}:{seconds:02}</itunes:duration>
      <itunes:episode>{episode.number}</itunes:episode>
      <itunes:episodeType>full</itunes:episodeType>
      <itunes:explicit>false</itunes:explicit>
    </item>
"""
