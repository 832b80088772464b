"""What editors did to the words and speakers of an episode, passage by passage."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from pipeline.archive import attributions, checks
from pipeline.archive.reading import Episode, Passage
from pipeline.editing.checking import overlap

Entry = checks.CheckEntry | attributions.AttributionEntry


@dataclass(frozen=True, slots=True)
class Checked:
    """Editors' work on an episode: the numbers of fully checked ``passages``, and history ``entries`` by passage."""

    passages: frozenset[int]
    entries: Mapping[int, Sequence[Entry]]

    def of(self, passages: Iterable[Passage]) -> list[Entry]:
        """Return the history of some passages, the newest first."""
        return newest_first(entry for one in passages for entry in self.entries.get(one.n, ()))


def checked(connection: sqlite3.Connection, episode: Episode) -> Checked:
    """Return the editors' work on an episode; an entry is listed at the last passage it covers."""
    if episode.provenance is None:
        return Checked(frozenset(), {})
    entries = defaultdict(list)
    for entry in of_recording(connection, episode.provenance.rendition):
        about = [passage.n for passage in episode.passages if overlap(entry, passage)]
        if about:
            entries[about[-1]].append(entry)
    return Checked(checks.checked_passages(connection, episode.id), entries)


def of_recording(connection: sqlite3.Connection, rendition: str) -> tuple[Entry, ...]:
    """Return all checks and attributions of a recording, and their undos."""
    return (*checks.history(connection, rendition), *attributions.history(connection, rendition))


def newest_first(entries: Iterable[Entry]) -> list[Entry]:
    """Sort by when they were made, the newest first."""
    return sorted(entries, key=lambda one: (one.made_at, one.id), reverse=True)
