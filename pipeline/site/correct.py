"""Recording a signed-in editor's correction; plain forms are redirected to the page, scripts get JSON."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import asdict

from datasette import Request, Response
from sqlite_utils import Database

from pipeline.archive import corrections
from pipeline.archive.questions.asked import ListedQuestion, questions_of
from pipeline.editing.correcting import correction, number, signature
from pipeline.errors import CorrectionError
from pipeline.site import editors
from pipeline.site.access import Archive
from pipeline.site.episode import Unrecorded, page_again
from pipeline.site.forms import NOT_RECORDED, posted, record
from pipeline.site.links import Links
from pipeline.site.respond import json, status_of, wants_json
from pipeline.times import utc_now


async def correct(request: Request, archive: Archive) -> Response:
    """``POST /-/correct``: record a correction, or undo one.

    The fields are ``episode`` and ``question`` (its id), then ``undo`` (the id of the correction in force), or
    ``status`` (``asked`` with ``start``, or ``not_asked``, which ignores any times), ``end``, ``answer_end``, ``note``.
    ``seen`` (the question's seal on the page) rejects the correction if the question was corrected, matched again or
    replaced since.
    """
    fields = await posted(request, archive, editors.TIMES)
    episode, editor, now = fields.get("episode", ""), editors.name_of(request.actor), utc_now()

    def change(db: Database) -> int:
        which = corrections.question_number(db, episode, fields.get("question", ""))
        if "undo" in fields:
            only = number("undo", fields)
            corrections.undo(db, episode, which, signature(fields, editor=editor, now=now), only=only)
        else:
            said = correction(_said(fields), which, editor=editor, now=now)
            corrections.correct(db, episode, said, seen=fields.get("seen"))
        return which

    try:
        which = await record(archive, change)
    except NOT_RECORDED as error:
        unrecorded = Unrecorded(fields.get("question", ""), fields, str(error), status_of(error))
        again = None if wants_json(request) else await page_again(request, archive, episode, unrecorded)
        if again is None:
            raise
        return again
    links = Links.of(archive)
    if not wants_json(request):
        return Response.redirect(f"{links.episode(episode)}#question-{which}", status=303)
    question, doubt = await archive.read(lambda connection: _now(connection, episode, which))
    message = ". ".join(filter(None, [question.summary.capitalize(), doubt]))
    return json({"ok": True, "message": message, "question": asdict(question)}, archive=archive)


def _now(connection: sqlite3.Connection, episode: str, which: int) -> tuple[ListedQuestion, str | None]:
    """The question's current state, and whether a guest is heard where it is asked."""
    (question,) = (one for one in questions_of(connection, [episode])[episode] if one.number == which)
    return question, corrections.doubt_at(connection, episode, question.start)


def _said(fields: Mapping[str, str]) -> Mapping[str, str]:
    """The relevant fields: a plain form sends its times even with the button “Not asked”."""
    if not fields.get("status"):
        raise CorrectionError("status: is missing")
    if fields["status"] == "not_asked":
        return {name: value for name, value in fields.items() if name in {"status", "note"}}
    if not fields.get("start", "").strip():
        raise CorrectionError("start: is missing; say when the question is asked, or that it is not")
    return fields
