"""The command ``status``."""

from __future__ import annotations

from pathlib import Path

import click

from pipeline.archive.database import up_to_date_reader
from pipeline.archive.status import status
from pipeline.commands.options import db_option, json_option, print_json
from pipeline.runs.health import disk


@click.command("status")
@db_option
@json_option
def status_command(db: Path, as_json: bool) -> None:
    """Show what the archive holds, what is left to do, how full the disk is, and how the last run went."""
    with up_to_date_reader(db) as archive:
        found = {**status(archive.conn), "disk": disk(db, archive.conn)}
    if as_json:
        print_json(found)
        return
    if not found["feeds"]:
        click.echo("no show archived yet")
    for feed in found["feeds"]:
        gone, listed = feed["no_longer_listed"], feed["episodes"] - feed["no_longer_listed"]
        left = f", {gone} no longer in the feed" if gone else ""
        click.echo(
            f"{feed['slug']}: {listed} listed{left}, {feed['kept']} kept ({feed['hours']} h), "
            f"{feed['transcribed']} transcribed, {feed['aligned']} aligned; "
            f"last polled {feed['last_polled'] or 'never'}: {feed['last_status'] or '-'}"
        )
        if feed["gone_page"]:
            click.echo(f"  its page {feed['gone_page']} is gone: episodes listed only there cannot be had")
    waiting = [f"{count} to {stage}" for stage, count in found["waiting"].items() if count]
    if waiting:
        click.echo(f"waiting: {', '.join(waiting)}")
    if found["feeds"]:
        database, recordings, free = (found["disk"][name] / 1e6 for name in ("database", "recordings", "free"))
        click.echo(f"disk: database {database:.1f} MB, recordings {recordings:.1f} MB; {free / 1e3:.1f} GB free")
    last = found["last_run"]
    if last:
        # A run that is still going on has no end in the database, either.
        end = f"exit code {last['exit_code']}" if last["finished"] else "did not finish, or is still running"
        click.echo(f"last run: {last['command']}, {last['started']}, {end}")
        if last["stopped"]:
            click.echo(f"  stopped: {last['stopped']}")
        for item in last["failed"]:
            click.echo(f"  failed: {item['episode'] or item['feed']} {item['stage']}: {item['reason']}")
