"""Checking a passage on the site: its form, recording what was heard, and what of an episode was checked."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from datasette import Request, Response
from sqlite_utils import Database

from pipeline.archive import checks, reading
from pipeline.archive.checks import Entry, Place
from pipeline.archive.reading import Episode, Passage
from pipeline.checking import clean, overlap
from pipeline.correcting import note, number
from pipeline.errors import CorrectionError
from pipeline.model import clock
from pipeline.site import editors
from pipeline.site.access import Archive
from pipeline.site.forms import posted, record
from pipeline.site.links import Links
from pipeline.site.respond import Refusal, json, page, render, wants_json
from pipeline.times import utc_now


@dataclass(frozen=True, slots=True)
class Checked:
    """What people checked of an episode: the numbers of ``passages`` heard whole, and ``entries`` by passage."""

    passages: frozenset[int]
    entries: Mapping[int, Sequence[Entry]]

    def of(self, passages: Iterable[Passage]) -> list[Entry]:
        """Return the history of some passages, the newest first."""
        return sorted((entry for one in passages for entry in self.entries.get(one.n, ())), key=lambda one: -one.id)


def checked(connection: sqlite3.Connection, episode: Episode) -> Checked:
    """Return what people checked of an episode; an entry stands at the last passage that it is about."""
    if episode.provenance is None:
        return Checked(frozenset(), {})
    entries = defaultdict(list)
    for entry in checks.history(connection, episode.provenance.rendition):
        about = [passage.n for passage in episode.passages if overlap(entry, passage)]
        if about:
            entries[about[-1]].append(entry)
    return Checked(checks.checked_passages(connection, episode.id), entries)


async def check(request: Request, archive: Archive) -> Response:
    """``/-/check``: with GET the form for a passage, with POST its answer is recorded, or a check undone.

    The form is at ``?episode=`` and ``n=``, the number of the passage. Its fields are ``episode``, ``first``, ``last``
    and ``seen`` as they are in the form, then ``undo`` (the id of a check in force), or ``status``: ``checked`` with
    the ``text``, or ``nothing_said``; and ``note``.
    """
    if request.method != "POST":
        return await _form(request, archive)
    fields = await posted(request, archive, editors.WORDS)
    episode, editor, now = fields.get("episode", ""), editors.name_of(request.actor), utc_now()
    place = (number(fields.get("first", ""), "first"), number(fields.get("last", ""), "last"))

    def change(db: Database) -> Place:
        if "undo" in fields:
            undone = number(fields["undo"], "undo")
            if undone not in {one.id for one in checks.place(db.conn, episode, *place).checks}:
                raise CorrectionError("undo: that check does not count there (any more); load the page again")
            checks.undo(db, episode, undone, note=note(fields), editor=editor, now=now)
        else:
            checks.check(
                db,
                episode,
                place,
                _said(fields),
                seen=fields.get("seen", ""),
                note=note(fields),
                editor=editor,
                now=now,
            )

        return checks.place(db.conn, episode, *place)

    here = await record(archive, change)
    if not wants_json(request):
        return Response.redirect(f"{Links(archive).episode(episode)}#s{place[0]}", status=303)
    message = f"{clock(here.start)}: {'undone' if 'undo' in fields else 'checked'}"
    return json({"ok": True, "message": message, "text": here.text}, archive=archive)


async def _form(request: Request, archive: Archive) -> Response:
    reason = await editors.refusal(archive, request.actor, editors.WORDS)
    if reason:
        raise Refusal(reason, status=403)
    wanted, n = request.args.get("episode") or "", number(request.args.get("n") or "", "n")

    def read(connection: sqlite3.Connection) -> tuple[Place, list[Entry], Episode | None]:
        here = checks.place(connection, wanted, n, n)
        entries = [entry for entry in checks.history(connection, here.rendition) if overlap(entry, here)]
        return here, entries, reading.episode(connection, wanted)

    place, entries, episode = await archive.read(read)
    context = {"place": place, "entries": entries, "episode": episode, "editor": editors.name_of(request.actor)}
    if not wants_json(request):
        return await page("archive_check.html", context, request=request, archive=archive)
    html = await render("archive_check_form.html", context, request=request, archive=archive)
    return json({"ok": True, "html": html}, archive=archive)


def _said(fields: Mapping[str, str]) -> str:
    """The words that an editor sends; that there are none has to be said."""
    status, text = fields.get("status"), clean(fields.get("text", ""))
    if status == "nothing_said":
        return ""
    if status != "checked":
        raise CorrectionError("status: must be checked or nothing_said")
    if not text:
        raise CorrectionError("text: is missing; where nothing is said there is a button of its own for that")
    return text
