"""Selecting the episodes that a run processes, from the command's options and feeds.yaml. Pure functions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pipeline.config import Feed
from pipeline.model import Episode


@dataclass(frozen=True, slots=True)
class Selection:
    """The episodes selected by the command's options, in addition to feeds.yaml.

    Attributes:
        only: one feed's slug or one episode's id.
        since: the first day (``YYYY-MM-DD``) of publication, by the publisher's own date.
        limit: maximum number of episodes of each feed, newest first.
    """

    only: str | None = None
    since: str | None = None
    limit: int | None = None

    def names(self, feed: Feed) -> bool:
        """Tell whether ``only`` is this feed or one of its episodes; without ``only`` all feeds match."""
        return self.only is None or self.only.split("/")[0] == feed.slug


EVERYTHING = Selection()


def selected(episodes: Sequence[Episode], feed: Feed, selection: Selection) -> Iterator[tuple[Episode, str | None]]:
    """Yield the episodes that ``only`` names, each with the reason why it is skipped, or None.

    Args:
        episodes: the feed's candidate episodes, newest first.
        feed: their feed, with its own limit.
        selection: the selection.
    """
    for place, episode in enumerate(episodes):
        if selection.only in {None, feed.slug, episode.id}:
            yield episode, _left_out(place, episode, feed, selection)


def _left_out(place: int, episode: Episode, feed: Feed, selection: Selection) -> str | None:
    if feed.limit is not None and place >= feed.limit:
        return f"beyond the newest {feed.limit} (limit in feeds.yaml)"
    if selection.limit is not None and place >= selection.limit:
        return f"beyond the newest {selection.limit} (--limit)"
    if selection.since is not None and (episode.published or "")[:10] < selection.since:
        return f"published before {selection.since} (--since)" if episode.published else "has no date (--since)"
    return None
