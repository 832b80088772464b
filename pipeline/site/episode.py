"""The episode page: the player, the questions with their times, and the transcript."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from functools import cached_property

import nh3
from datasette import Request, Response

from pipeline.archive import corrections, episodes, people, reading
from pipeline.archive.questions.asked import ListedQuestion
from pipeline.archive.reading import Episode, Passage
from pipeline.editing.pointing import begun_at, is_of_a_clock, numbers_at
from pipeline.site import editors, exports, turns
from pipeline.site.access import Archive
from pipeline.site.changes import SHOWN, Told, told
from pipeline.site.history import Checked, checked
from pipeline.site.making import Surety, account, surety
from pipeline.site.respond import Refusal, episode_id, page
from pipeline.site.spoken import pieces, timing
from pipeline.site.timeline import Timeline, timeline
from pipeline.site.turns import Turn
from pipeline.times import stretch

# Show notes are sanitised when they are stored, and again here: the database may come from anywhere.
_NOTES_TAGS = nh3.ALLOWED_TAGS - {"area", "img", "map"}


@dataclass(frozen=True, slots=True)
class Stored:
    """What the archive holds for an episode's page, read in one transaction.

    ``heard`` are the names in it that have a page of their own. ``corrections`` and ``seals`` (of the questions, by
    number) are empty for whoever may not correct times. ``changes`` are all of the publisher's, newest first.
    """

    episode: Episode
    checked: Checked
    heard: AbstractSet[str]
    corrections: Sequence[corrections.CorrectionEntry]
    seals: Mapping[int, str]
    changes: Sequence[Told]


@dataclass(frozen=True, slots=True)
class Unrecorded:
    """A correction of a question (by its id) that failed: its ``fields`` as typed, the problem and the HTTP status."""

    question: str
    fields: Mapping[str, str]
    problem: str
    status: int


@dataclass(frozen=True)
class EpisodeView:
    """Everything that ``archive_episode.html`` shows of an episode. Times are in seconds.

    ``corrects`` and ``checking`` tell whether the reader may correct times and check words. ``playable`` tells whether
    the audio file is present. ``asked_at`` is the place to show, as in the URL: ``192`` or ``192,201``, or empty.
    ``unrecorded`` goes back into its question's form.
    """

    stored: Stored
    corrects: bool
    checking: bool
    playable: bool
    asked_at: str
    unrecorded: Unrecorded | None = None

    @property
    def episode(self) -> Episode:
        """Return the episode itself."""
        return self.stored.episode

    @property
    def editing(self) -> bool:
        """Tell whether to show the forms for times, which refer to a recording."""
        return self.corrects and self.episode.audio is not None

    @cached_property
    def second(self) -> float | None:
        """Return the time to show; None if none is asked for."""
        second, last_second = stretch(self.asked_at)
        if second is not None and is_of_a_clock(self.asked_at.partition(",")[0]):
            return begun_at(self.episode.passages, second, last_second)
        return second

    @property
    def last_second(self) -> float | None:
        """Return the end of the stretch to show; None if only a moment is asked for."""
        return stretch(self.asked_at)[1]

    @cached_property
    def marked(self) -> Sequence[Passage]:
        """Return the passages to show as asked for."""
        if self.second is None:
            return ()
        passages = self.episode.passages
        return [passages[n] for n in numbers_at(passages, self.second, self.last_second)]

    @cached_property
    def turns(self) -> Sequence[Turn]:
        """Return the transcript, laid out for reading."""
        return turns.turns(self.episode.passages)

    @cached_property
    def asked_in(self) -> Mapping[int, Sequence[ListedQuestion]]:
        """Return the questions asked in each passage, by its number."""
        return turns.asked_in(self.episode.passages, self.episode.questions)

    @cached_property
    def line(self) -> Timeline | None:
        """Return the timeline of the recording; None if there is nothing to show."""
        return timeline(self.episode.duration, self.episode.questions, self.episode.passages)

    @cached_property
    def surety(self) -> Surety:
        """Return how certain the transcript is."""
        return surety(self.episode.passages)

    @property
    def downloads(self) -> Mapping[str, Mapping[str, str]]:
        """Return the exports to offer: for each kind the formats with their names."""
        return exports.offered(self.episode)

    @property
    def file_name(self) -> str | None:
        """Return the file name for downloading the recording; None if it cannot be downloaded."""
        audio = self.episode.audio
        return exports.file_name(self.episode, audio) if audio and self.playable else None

    @cached_property
    def notes(self) -> str:
        """Return the show notes as sanitised HTML."""
        return nh3.clean(self.episode.notes_html, tags=_NOTES_TAGS, url_schemes={"http", "https", "mailto"})

    @property
    def changes(self) -> Sequence[Told]:
        """Return the publisher's changes to show."""
        return self.stored.changes[:SHOWN]

    @property
    def more_changes(self) -> int:
        """Return the number of the publisher's other changes."""
        return len(self.stored.changes[SHOWN:])


async def episode_page(request: Request, archive: Archive) -> Response:
    """``/-/episode/<feed>/<id>?t=``: the episode, at a time or stretch in seconds if given."""
    wanted = episode_id(request)
    view = await _view(request, archive, wanted)
    if view is None:
        raise Refusal(f"There is no episode “{wanted}” in this archive.", status=404)
    return await _shown(request, archive, view)


async def page_again(request: Request, archive: Archive, wanted: str, unrecorded: Unrecorded) -> Response | None:
    """Answer a refused form with the page as it is now and what was typed; None if the question has no form there."""
    view = await _view(request, archive, wanted)
    if view is None or not view.editing or unrecorded.question not in {one.question for one in view.episode.questions}:
        return None
    return await _shown(request, archive, replace(view, unrecorded=unrecorded), status=unrecorded.status)


async def _view(request: Request, archive: Archive, wanted: str) -> EpisodeView | None:
    corrects = await editors.refusal(archive, request.actor, editors.TIMES) is None
    stored = await archive.read(lambda connection: _stored(connection, wanted, corrects=corrects))
    if stored is None:
        return None
    audio = stored.episode.audio
    return EpisodeView(
        stored,
        corrects=corrects,
        checking=await editors.refusal(archive, request.actor, editors.WORDS) is None,
        playable=audio is not None and await asyncio.to_thread(archive.audio_file, audio) is not None,
        asked_at=request.args.get("t") or "",
    )


async def _shown(request: Request, archive: Archive, view: EpisodeView, *, status: int = 200) -> Response:
    context = {"view": view, "episode": view.episode, "account": account, "timing": timing, "pieces": pieces}
    return await page("archive_episode.html", context, request=request, archive=archive, status=status)


def _stored(connection: sqlite3.Connection, wanted: str, *, corrects: bool) -> Stored | None:
    episode = reading.episode(connection, wanted)
    if episode is None:
        return None
    return Stored(
        episode=episode,
        checked=checked(connection, episode),
        heard=people.heard(connection, wanted),
        corrections=corrections.history(connection, wanted) if corrects else (),
        seals=corrections.seals(connection, wanted) if corrects else {},
        changes=tuple(told(episodes.history(connection, wanted))),
    )
