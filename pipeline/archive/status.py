"""What the archive holds and how its last run went, in one read."""

from __future__ import annotations

import sqlite3
from typing import Any

from pipeline.archive.database import named_rows


def status(connection: sqlite3.Connection) -> dict[str, Any]:
    """Return ``feeds`` (one entry each, with counts and hours of audio) and ``last_run`` with what failed in it."""
    cursor = named_rows(connection)
    feeds = cursor.execute(
        """select f.slug, f.title, f.last_polled, f.last_status,
            (select count(*) from episodes e where e.feed = f.slug) as episodes,
            count(r.sha256) as kept,
            round(coalesce(sum(r.duration), 0) / 3600, 1) as hours,
            count(t.id) as transcribed,
            count(a.transcript) as aligned
        from feeds f
        left join episodes e on e.feed = f.slug
        left join renditions r on r.episode = e.id and r.current = 1
        left join transcripts t on t.episode = e.id and t.preferred = 1
        left join alignments a on a.transcript = t.id
        group by f.slug order by f.slug"""
    ).fetchall()
    run = cursor.execute(
        "select id, command, started, finished, exit_code from runs order by id desc limit 1"
    ).fetchone()
    last_run = None
    if run:
        failed = cursor.execute(
            "select stage, feed, episode, reason from run_items where run = ? and status = 'failed'", [run["id"]]
        ).fetchall()
        last_run = {**dict(run), "failed": [dict(item) for item in failed]}
    return {"feeds": [dict(feed) for feed in feeds], "last_run": last_run}
