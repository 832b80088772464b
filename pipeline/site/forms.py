"""Receiving editors' forms: checking their sender and size, and recording them in one transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar
from urllib.parse import parse_qsl

from datasette import Request
from sqlite_utils import Database

from pipeline.archive.database import explained, immediate
from pipeline.errors import CorrectionError, DatabaseError
from pipeline.site import editors
from pipeline.site.access import Archive
from pipeline.site.respond import Refusal, ensure_may

FORM = "application/x-www-form-urlencoded"
BODY_BYTES = 64 * 1024
FIELDS = 20

# What ``record`` may fail with: a form without scripts is shown again, with what was typed.
NOT_RECORDED = (CorrectionError, DatabaseError)

T = TypeVar("T")


async def posted(request: Request, archive: Archive, right: editors.Right) -> dict[str, str]:
    """Return the fields of a form sent from a page of this site by somebody with the permission.

    Raises:
        Refusal: the sender lacks the permission, the form comes from another site, or it cannot be parsed.
    """
    await ensure_may(request, archive, right)
    fields = await _fields(request)
    if not editors.is_own_form(archive, request, fields):
        raise Refusal("That form is not from this site, or is too old. Load the page of the episode again.", status=403)
    return fields


async def record(archive: Archive, change: Callable[[Database], T]) -> T:
    """Call a function that changes the database, in an immediate transaction.

    Raises:
        CorrectionError: the function refuses.
        DatabaseError: the file cannot be written.
    """

    def changed(connection: sqlite3.Connection) -> T:
        db = Database(connection)
        with immediate(db):
            return change(db)

    with explained(Path(archive.database.name)):
        result: T = await archive.database.execute_write_fn(changed)
    return result


async def _fields(request: Request) -> dict[str, str]:
    """Parse the form, up to a size limit."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != FORM:
        raise Refusal(f"The form must be sent as {FORM}.", status=415)
    body, more = b"", True
    while more:
        message = await request.receive()
        if message["type"] != "http.request":
            raise Refusal("The form did not arrive completely.", status=400)
        body += message.get("body", b"")
        more = message.get("more_body", False)
        if len(body) > BODY_BYTES:
            raise Refusal(f"The form is larger than {BODY_BYTES // 1024} kB; shorten what you wrote.", status=413)
    try:
        return dict(parse_qsl(body.decode(), keep_blank_values=True, errors="strict", max_num_fields=FIELDS))
    except ValueError as error:  # also if it is not UTF-8
        raise Refusal("The form cannot be read: it must be UTF-8 text with a few fields.", status=400) from error
