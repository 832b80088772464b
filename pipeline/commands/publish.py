"""The command ``publish``."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path

import click

from pipeline.commands.options import FilePath, db_option, json_option, print_json
from pipeline.copies.publish import publish
from pipeline.exits import Exit
from pipeline.text import amount
from pipeline.times import utc_now


@click.command("publish")
@db_option
@click.option("--out", type=FilePath, required=True, help="The folder for the copy; an older copy there is replaced.")
@click.option("--without-audio", is_flag=True, help="Leave the recordings out: the words can then be read, not heard.")
@json_option
def publish_command(db: Path, out: Path, without_audio: bool, as_json: bool) -> None:
    """Make a read-only copy to be served elsewhere: the database, the recordings, and settings for serving them.

    It can be made during a run. The records of runs, and voice prints, are left out.
    """
    from pipeline.runs.run import terminable

    with terminable():  # SIGTERM would leave a copy of the database behind
        made = publish(db, out, audio=not without_audio, now=utc_now())
    if as_json:
        print_json({**asdict(made), "database": str(made.database)})
    else:
        click.echo(f"{made.database}: {made.bytes / 1e6:.1f} MB")
        if not without_audio:
            click.echo(f"{amount(made.recordings, 'recording')}: {made.audio_bytes / 1e6:.1f} MB")
        click.echo(f"serve it with: datasette {out}", err=True)
    if made.missing:
        click.echo(f"{made.missing} recordings are missing from the archive’s audio folder", err=True)
        sys.exit(Exit.PARTLY)
