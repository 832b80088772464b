"""The command ``serve``."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

import click

from pipeline.archive.database import bring_up_to_date
from pipeline.archive.published_copy import is_published
from pipeline.commands.options import db_option
from pipeline.files import new_file


@click.command("serve")
@db_option
@click.option("--root", is_flag=True, help="Print an address that signs you in as an editor, in one browser.")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), default=8001, show_default=True, help="The port to listen on.")
def serve_command(db: Path, root: bool, host: str, port: int) -> None:
    """Serve the archive as a site: search, episodes with a player, and Datasette's tables, SQL and JSON."""
    bring_up_to_date(db)
    from datasette.cli import cli as datasette

    options = ["--host", host, "--port", str(port), *(["--root"] if root else []), *_secret(db)]
    # Of a published copy the folder is served: its files say that it is immutable, and hold the owner's settings.
    served = db.resolve().parent if is_published(db) else db
    datasette.main(["serve", str(served), *options], prog_name="interview-archive")


def _secret(db: Path) -> list[str]:
    """The option that keeps editors signed in, and the forms that they have open, when the site is started again.

    The secret is kept beside the database, readable by its owner alone.
    """
    if "DATASETTE_SECRET" in os.environ or is_published(db):
        return []
    path = db.with_name(f"{db.name}.secret")
    try:
        if not path.exists():
            with new_file(path) as file:
                os.fchmod(file.fileno(), 0o600)
                file.write(secrets.token_hex(32).encode())
        return ["--secret", path.read_text(encoding="ascii")]
    except OSError:  # not to be written or read: signing in then lasts until the site is stopped
        return []
