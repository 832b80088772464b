"""The command ``serve``."""

from __future__ import annotations

from pathlib import Path

import click

from pipeline.archive.database import bring_up_to_date
from pipeline.archive.published_copy import is_published
from pipeline.commands.options import db_option


@click.command("serve")
@db_option
@click.option("--root", is_flag=True, help="Print an address that signs you in as an editor, in one browser.")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), default=8001, show_default=True, help="The port to listen on.")
def serve_command(db: Path, root: bool, host: str, port: int) -> None:
    """Serve the archive as a site: search, episodes with a player, and Datasette's tables, SQL and JSON."""
    bring_up_to_date(db)
    from datasette.cli import cli as datasette

    options = ["--host", host, "--port", str(port), *(["--root"] if root else [])]
    # Of a published copy the folder is served: its files say that it is immutable, and hold the owner's settings.
    served = db.resolve().parent if is_published(db) else db
    datasette.main(["serve", str(served), *options], prog_name="interview-archive")
