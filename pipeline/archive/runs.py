"""The ledger of runs in the database: what each run did, skipped and failed, and why."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping

from sqlite_utils import Database

from pipeline.archive.database import immediate
from pipeline.archive.redact import without_paths, without_paths_within
from pipeline.model import RunItem

# "Nothing to do" rows of older runs are dropped, or an hourly run over a large archive would fill the file with them.
RUNS_WITH_SKIPPED_ITEMS = 10


def start_run(db: Database, *, command: str, version: str, now: str) -> int:
    """Enter a run that begins now and return its id."""
    cursor = db.execute("insert into runs (command, version, started) values (?, ?, ?)", [command, version, now])
    return int(cursor.lastrowid or 0)


def add_item(db: Database, run: int, item: RunItem) -> None:
    """Store the outcome of one stage of one episode (or feed); local paths are removed."""
    reason = item.reason and without_paths(item.reason)
    db.execute(
        "insert into run_items (run, stage, feed, episode, status, reason, seconds) values (?, ?, ?, ?, ?, ?, ?)",
        [run, item.stage, item.feed, item.episode, item.status, reason, round(item.seconds, 3)],
    )


def note_wanted(db: Database, wanted: Mapping[str, int | None], *, skipped: Collection[str] = ()) -> None:
    """Record which episodes feeds.yaml asks for.

    Args:
        db: the archive.
        wanted: the number of newest episodes to keep per feed, None for all; a feed that is missing keeps none.
        skipped: the ids of episodes that are not wanted.
    """
    with immediate(db):
        known = {id_ for (id_,) in db.execute("select id from episodes where skipped")}
        for changed, value in ((known - set(skipped), 0), (set(skipped) - known, 1)):
            db.conn.executemany("update episodes set skipped = ? where id = ?", ((value, id_) for id_ in changed))
        for (slug,) in db.execute("select slug from feeds").fetchall():
            db.execute("update feeds set wanted = ? where slug = ?", [wanted.get(slug, 0), slug])


def finish_run(db: Database, run: int, *, exit_code: int, report: Mapping[str, object], now: str) -> None:
    """Mark a run as finished and store its report; local paths are removed."""
    with immediate(db):
        db.execute(
            "update runs set finished = ?, exit_code = ?, report = ? where id = ?",
            [now, exit_code, json.dumps(without_paths_within(report)), run],
        )
        db.execute("delete from run_items where status = 'skipped' and run <= ?", [run - RUNS_WITH_SKIPPED_ITEMS])
