"""Recording what a signed-in editor says of a question: a plain form's answer is the page, a script's is JSON."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from urllib.parse import parse_qsl

from datasette import Request, Response
from sqlite_utils import Database

from pipeline.archive import corrections, reading
from pipeline.archive.database import explained, immediate
from pipeline.correcting import correction, number
from pipeline.errors import CorrectionError
from pipeline.site import editors
from pipeline.site.access import Archive
from pipeline.site.links import Links
from pipeline.site.respond import Refusal, json, render, wants_json
from pipeline.times import utc_now

FORM = "application/x-www-form-urlencoded"
BODY_BYTES = 64 * 1024
FIELDS = 20


async def correct(request: Request, archive: Archive) -> Response:
    """``POST /-/correct``: record a correction, or undo one.

    The fields are ``episode`` and ``question`` (its id), then ``undo`` (the id of the correction that counts), or
    ``status`` (``asked`` with ``start``, ``not_asked`` without regard to any times), ``end``, ``answer_end``, ``note``.
    """
    reason = await editors.refusal(archive, request.actor)
    if reason:
        raise Refusal(reason, status=403)
    fields = await _fields(request)
    if not editors.is_own_form(archive, request, fields):
        raise Refusal("That form is not of this site, or is too old. Load the page of the episode again.", status=403)
    episode, editor, now = fields.get("episode", ""), editors.name_of(request.actor), utc_now()

    def change(connection: sqlite3.Connection) -> int:
        db = Database(connection)
        with immediate(db):
            which = corrections.question_number(db, episode, fields.get("question", ""))
            if "undo" in fields:
                only = number(fields["undo"], "undo")
                corrections.undo(db, episode, which, editor=editor, now=now, note=fields.get("note") or None, only=only)
            else:
                corrections.correct(db, episode, correction(_said(fields), which, editor=editor, now=now))
        return which

    with explained(Path(archive.database.name)):
        which = await archive.database.execute_write_fn(change)
    links = Links(archive)
    if not wants_json(request):
        return Response.redirect(f"{links.episode(episode)}#q{which}", status=303)
    questions, entries = await archive.read(
        lambda connection: (
            reading.questions_of(connection, [episode])[episode],
            corrections.history(Database(connection), episode),
        )
    )
    (question,) = (one for one in questions if one.number == which)
    context = {"episode_id": episode, "question": question, "editing": True, "history": entries}
    html = await render("archive_question.html", context, request=request, archive=archive)
    content = {"ok": True, "message": question.summary.capitalize(), "question": asdict(question), "html": html}
    return json(content, archive=archive)


def _said(fields: Mapping[str, str]) -> Mapping[str, str]:
    """The fields that matter: a plain form always sends its times along, also with the button “Not asked”."""
    if not fields.get("status"):
        raise CorrectionError("status: is missing")
    if fields["status"] == "not_asked":
        return {name: value for name, value in fields.items() if name in {"status", "note"}}
    if not fields.get("start", "").strip():
        raise CorrectionError("start: is missing; say when the question is asked, or that it is not")
    return fields


async def _fields(request: Request) -> dict[str, str]:
    """Read the form, of limited size."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != FORM:
        raise Refusal(f"The form must be sent as {FORM}.", status=415)
    body, more = b"", True
    while more:
        message = await request.receive()
        if message["type"] != "http.request":
            raise Refusal("The form did not come whole.", status=400)
        body += message.get("body", b"")
        more = message.get("more_body", False)
        if len(body) > BODY_BYTES:
            raise Refusal(f"The form is larger than {BODY_BYTES // 1024} kB; shorten the note.", status=413)
    try:
        return dict(parse_qsl(body.decode(), keep_blank_values=True, errors="strict", max_num_fields=FIELDS))
    except ValueError as error:  # also what is not UTF-8
        raise Refusal("The form cannot be read: it must be UTF-8 text with a few fields.", status=400) from error
