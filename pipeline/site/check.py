"""The site's form for checking a passage's words and speaker, and storing the result."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping

from datasette import Request, Response
from sqlite_utils import Database

from pipeline.archive import attributions, checks, people, reading
from pipeline.archive.checks import CheckedTogether
from pipeline.archive.preferred import passages_at
from pipeline.editing.attributing import is_name
from pipeline.editing.checking import clean, overlap
from pipeline.editing.correcting import number, second, signature
from pipeline.errors import CorrectionError, DatabaseError
from pipeline.model import Signature
from pipeline.site import editors
from pipeline.site.access import Archive
from pipeline.site.forms import NOT_RECORDED, posted, record
from pipeline.site.history import Entry, newest_first, of_recording
from pipeline.site.links import Links
from pipeline.site.respond import ensure_may, json, page, render, status_of, wants_json
from pipeline.times import clock, utc_now


async def check(request: Request, archive: Archive) -> Response:
    """``/-/check``: GET shows the form for a passage, POST records its content or undoes a check.

    The form is at ``?episode=`` and ``n=``, the number of the passage. Its fields are ``episode``, ``first``, ``last``
    and ``seen`` as in the form, then ``undo`` (the id of a check in force), or ``status``: ``checked`` with the
    ``text``, or ``nothing_said``; and ``note``. The speaker of passage ``n`` is set with ``who``: ``here``, or
    ``everywhere`` that this voice is heard; with the name in ``speaker``, and ``n`` and ``seen_speaker`` as in the
    form. ``undo_speaker`` (an id) undoes such an attribution.
    """
    if request.method != "POST":
        return await _form(request, archive)
    fields = await posted(request, archive, editors.WORDS)
    episode, seen = fields.get("episode", ""), fields.get("seen", "")
    signed = signature(fields, editor=editors.name_of(request.actor), now=utc_now())
    place = (number("first", fields), number("last", fields))

    def change(db: Database) -> CheckedTogether:
        if "undo_speaker" in fields:
            n = number("n", fields)
            attributions.undo(db, episode, number("undo_speaker", fields), signed, passages=(n, n))
        elif "who" in fields:
            _record_speaker(db, fields, signed)
        elif "undo" in fields:
            checks.undo(db, episode, number("undo", fields), signed, passages=place)
        else:
            checks.check(db, episode, place, _said(fields), signed, seen=seen)
        return checks.place(db.conn, episode, *place)

    try:
        here = await record(archive, change)
    except NOT_RECORDED as error:
        if wants_json(request):
            raise
        return await _form_again(request, archive, fields, error)
    if not wants_json(request):
        return Response.redirect(f"{Links.of(archive).episode(episode)}#s{place[0]}", status=303)
    undone = "undo" in fields or "undo_speaker" in fields
    message = f"{clock(here.start)}: {'undone' if undone else 'recorded who speaks' if 'who' in fields else 'checked'}"
    return json({"ok": True, "message": message, "text": here.text}, archive=archive)


async def _form(request: Request, archive: Archive) -> Response:
    await ensure_may(request, archive, editors.WORDS)
    asked = {name: request.args.get(name) or "" for name in ("episode", "n")}
    context = await _context(archive, asked["episode"], number("n", asked))
    if not wants_json(request):
        return await page("archive_check.html", context, request=request, archive=archive)
    html = await render("archive_check_form.html", context, request=request, archive=archive)
    return json({"ok": True, "html": html}, archive=archive)


async def _form_again(
    request: Request, archive: Archive, fields: Mapping[str, str], error: CorrectionError | DatabaseError
) -> Response:
    """What was not recorded, in a form of the passage as it is now: the browser’s own way back could lose either.

    A new transcript numbers its passages anew, so the passage is found by the time at which the form’s began.
    """

    def number_now(connection: sqlite3.Connection) -> int:
        start = second("start", fields)
        if start is None:
            raise error
        return passages_at(connection, fields.get("episode", ""), start, None)[0]

    try:
        n = await archive.read(number_now)
    except CorrectionError:
        raise error from None
    context = await _context(archive, fields.get("episode", ""), n)
    refused = {"problem": str(error), "typed": fields}
    return await page(
        "archive_check.html", context | refused, request=request, archive=archive, status=status_of(error)
    )


async def _context(archive: Archive, wanted: str, n: int) -> dict[str, object]:
    """What the forms of a passage show."""

    def read(connection: sqlite3.Connection) -> dict[str, object]:
        here = checks.place(connection, wanted, n, n)
        episode = reading.episode(connection, wanted)
        labels = {one.speaker for one in episode.passages if one.speaker} if episode else set()
        speech = attributions.speech(connection, wanted, n, n)
        voices = {one.id for one in speech.attributions}  # of the voice; perhaps recorded elsewhere

        def is_about(entry: Entry) -> bool:
            return overlap(entry, here) or (isinstance(entry, attributions.AttributionEntry) and entry.id in voices)

        return {
            "place": here,
            "speech": speech,
            "speakers": sorted({*people.names(connection), *filter(is_name, labels)}),
            "entries": newest_first(filter(is_about, of_recording(connection, here.rendition))),
            "episode": episode,
        }

    return await archive.read(read)


def _said(fields: Mapping[str, str]) -> str:
    """The words entered; an empty text must be confirmed with the status ``nothing_said``."""
    status, text = fields.get("status"), clean(fields.get("text", ""))
    if status == "nothing_said":
        return ""
    if status != "checked":
        raise CorrectionError("status: must be checked or nothing_said")
    if not text:
        raise CorrectionError("text: is missing; if nothing is said, use the button for that")
    return text


def _record_speaker(db: Database, fields: Mapping[str, str], signed: Signature) -> None:
    n, who = number("n", fields), fields["who"]
    if who not in {"here", "everywhere"}:
        raise CorrectionError("who: must be here or everywhere")
    attributions.attribute(
        db,
        fields.get("episode", ""),
        (n, n),
        fields.get("speaker", ""),
        signed,
        seen=fields.get("seen_speaker", ""),
        everywhere=who == "everywhere",
    )
