"""What the archive holds and how its last run went, in one read."""

from __future__ import annotations

import sqlite3
from typing import Any

from pipeline.archive.database import named_rows


def status(connection: sqlite3.Connection) -> dict[str, Any]:
    """Return ``feeds``, ``last_run`` with what failed in it, and what is ``waiting``.

    Each feed has its counts, hours of audio, the number of episodes it no longer lists, and the page of it that is
    gone. ``waiting`` counts for each stage the episodes that still have to go through it, among those that feeds.yaml
    asked for at the last run.
    """
    cursor = named_rows(connection)
    feeds = cursor.execute(
        """select f.slug, f.title, f.last_polled, f.last_status, f.gone_page,
            (select count(*) from episodes e where e.feed = f.slug) as episodes,
            (
                select count(*) from episodes e
                where e.feed = f.slug and not e.skipped and e.last_seen < f.fully_fetched
            ) as no_longer_listed,
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
        """select id, command, started, finished, exit_code, json_extract(report, '$.stopped') as stopped
        from runs order by id desc limit 1"""
    ).fetchone()
    last_run = None
    if run:
        failed = cursor.execute(
            "select stage, feed, episode, reason from run_items where run = ? and status = 'failed'", [run["id"]]
        ).fetchall()
        last_run = {**dict(run), "failed": [dict(item) for item in failed]}
    return {"feeds": [dict(feed) for feed in feeds], "last_run": last_run, "waiting": waiting(connection)}


def waiting(connection: sqlite3.Connection) -> dict[str, int]:
    """Return the number of episodes still to be downloaded, transcribed and aligned for the first time."""
    cursor = named_rows(connection)
    row = cursor.execute(
        """with wanted as (
            select e.id, e.enclosure_url from (
                select id, feed, enclosure_url,
                    row_number() over (
                        partition by feed order by datetime(coalesce(published, first_seen)) desc, rowid
                    ) as place
                from episodes where not skipped
            ) e
            join feeds f on f.slug = e.feed and (f.wanted is null or e.place <= f.wanted)
        )
        select
            count(*) filter (where r.sha256 is null and w.enclosure_url is not null) as download,
            count(*) filter (where r.sha256 is not null and t.id is null) as transcribe,
            count(*) filter (where t.id is not null and a.transcript is null) as align
        from wanted w
        left join renditions r on r.episode = w.id and r.current = 1
        left join transcripts t on t.episode = w.id and t.preferred = 1
        left join alignments a on a.transcript = t.id"""
    ).fetchone()
    return dict(row)
