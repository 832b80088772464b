"""How the archive is doing: its last run with what failed, what waits at each stage, and the disk."""

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

# The account of the runs, which the owner may close to others without closing the site.
_TABLES = ("runs", "run_items")


async def status_page(request: Request, archive: Archive) -> Response:
    """``/-/status``: for people."""
    context = {"found": await _found(request, archive), "most": FAILURES}
    return await page("archive_status.html", context, request=request, archive=archive)


async def status_json(request: Request, archive: Archive) -> Response:
    """``/-/status.json``: the same for programs."""
    return json(await _found(request, archive), archive=archive)


async def _found(request: Request, archive: Archive) -> Mapping[str, Any]:
    """What there is to say; where the archive lies on this computer is only for who may change something here."""
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
