"""The front page and the episode page: each reads what it shows and passes it to a template."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import TYPE_CHECKING

import nh3
from datasette import Request, Response
from sqlite_utils import Database

from pipeline.archive import episode_history, people, reading
from pipeline.archive.corrections import CorrectionEntry, history, seals
from pipeline.archive.listing import listing
from pipeline.archive.reading import Episode, Passage
from pipeline.editing.pointing import begun_at, is_of_a_clock, numbers_at
from pipeline.site import editors, making, spoken
from pipeline.site.access import Archive
from pipeline.site.changes import SHOWN, Told, told
from pipeline.site.exports import file_name, offered
from pipeline.site.history import Checked, checked
from pipeline.site.respond import episode_id, page, refused
from pipeline.site.timeline import spans, timeline
from pipeline.site.turns import asked_in, turns
from pipeline.times import stretch

if TYPE_CHECKING:  # Datasette imports its plugins while it is itself being imported
    from datasette.app import Datasette

NEWEST = 12  # episodes on the front page
# Show notes are sanitised when they are stored, and again here: the database may come from anywhere.
_NOTES_TAGS = nh3.ALLOWED_TAGS - {"area", "img", "map"}


@dataclass(frozen=True, slots=True)
class _Read:
    """The data of an episode page, read in one transaction."""

    episode: Episode
    checks: Checked
    heard: AbstractSet[str]
    entries: Sequence[CorrectionEntry]
    seals: Mapping[int, str]
    changes: Sequence[Told]


async def datasette_index(request: Request, datasette: Datasette) -> Response:
    """``/`` if no archive is attached: Datasette's own index."""
    from datasette.views.index import IndexView  # noqa: PLC0415 - see above

    return await IndexView(datasette).dispatch_request(request)


async def home(request: Request, archive: Archive) -> Response:
    """``/``: the search box, the newest episodes, and what the archive holds."""
    holdings, newest = await archive.read(
        lambda connection: (reading.holdings(connection), listing(connection, NEWEST).episodes)
    )
    context = {"holdings": holdings, "newest": newest, "spans": spans}
    return await page("archive_home.html", context, request=request, archive=archive)


async def episode_page(request: Request, archive: Archive) -> Response:
    """``/-/episode/<feed>/<id>``: the player, the questions with their times, and the transcript."""
    wanted = episode_id(request)
    editing = await editors.refusal(archive, request.actor, editors.TIMES) is None

    def read(connection: sqlite3.Connection) -> _Read | None:
        episode = reading.episode(connection, wanted)
        if episode is None:
            return None
        entries = history(Database(connection), wanted) if editing else ()
        sealed = seals(Database(connection), wanted) if editing else {}
        heard, changed = people.heard(connection, wanted), episode_history.changes(connection, wanted)
        return _Read(episode, checked(connection, episode), heard, entries, sealed, tuple(told(changed)))

    found = await archive.read(read)
    if found is None:
        return await refused(request, archive, f"There is no episode “{wanted}” in this archive.", status=404)
    episode = found.episode
    playable = episode.audio is not None and await asyncio.to_thread(archive.audio_file, episode.audio) is not None
    asked_at = request.args.get("t") or ""
    second, last_second = stretch(asked_at)
    if second is not None and is_of_a_clock(asked_at.partition(",")[0]):
        second = begun_at(episode.passages, second, last_second)
    context = {
        "episode": episode,
        "episode_id": wanted,
        "editing": editing and episode.audio is not None,  # times refer to a recording
        "checking": await editors.refusal(archive, request.actor, editors.WORDS) is None,
        "checked": found.checks,
        "editor": editors.name_of(request.actor),
        "history": found.entries,
        "seals": found.seals,
        "changes": found.changes[:SHOWN],
        "more_changes": len(found.changes[SHOWN:]),
        "playable": playable,
        "turns": turns(episode.passages),
        "asked_in": asked_in(episode.passages, episode.questions),
        "untranscribed": not episode.passages,
        "line": timeline(episode.duration, episode.questions, episode.passages),
        "heard": found.heard,
        "spoken": spoken,
        "making": making,
        "surety": making.surety(episode.passages),
        "downloads": offered(episode),
        "file_name": file_name(episode, episode.audio) if episode.audio and playable else None,
        "second": second,
        "last_second": last_second,
        "marked": _marked(episode.passages, second, last_second),
        "notes": nh3.clean(episode.notes_html, tags=_NOTES_TAGS, url_schemes={"http", "https", "mailto"}),
    }
    return await page("archive_episode.html", context, request=request, archive=archive)


def _marked(passages: Sequence[Passage], second: float | None, last_second: float | None) -> Sequence[Passage]:
    return [] if second is None else [passages[n] for n in numbers_at(passages, second, last_second)]
