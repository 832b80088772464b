"""The status of the archive: its last run with failures, the backlog of each stage, and disk usage."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from datasette import Request, Response

from pipeline.archive.status import status
from pipeline.runs.health import FAILURES, disk, health_file
from pipeline.site import editors
from pipeline.site.access import Archive
from pipeline.site.respond import json, page

# The records of runs, which the owner may hide without hiding the site.
_TABLES = ("runs", "run_items")


async def status_page(request: Request, archive: Archive) -> Response:
    """``/-/status``: as a page."""
    context = {"found": await _found(request, archive), "most": FAILURES}
    return await page("archive_status.html", context, request=request, archive=archive)


async def status_json(request: Request, archive: Archive) -> Response:
    """``/-/status.json``: the same as JSON."""
    return json(await _found(request, archive), archive=archive)


async def _found(request: Request, archive: Archive) -> Mapping[str, Any]:
    """The status; paths on this computer are included only for actors with an editing permission."""
    await archive.ensure_visible(request.actor, *_TABLES)
    database = archive.database.path and Path(archive.database.path)

    def read(connection: sqlite3.Connection) -> dict[str, Any]:
        return {**status(connection), "disk": disk(database, connection) if database else None}

    found = await archive.read(read)
    refusals = [await editors.refusal(archive, request.actor, right) for right in editors.RIGHTS]
    if None in refusals and database:
        paths = {"database": str(database.resolve()), "health": str(health_file(database.resolve()))}
        return {**found, "paths": paths}
    return found
