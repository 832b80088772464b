"""The command ``restore``."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from pipeline.commands.options import DatabasePath, FilePath, json_option, print_json
from pipeline.text import amount


@click.command("restore")
@click.argument("bag", type=FilePath)
@click.option("--db", type=DatabasePath, required=True, help="The archive to make; its files go into the same folder.")
@json_option
def restore_command(bag: Path, db: Path, as_json: bool) -> None:
    """Make an archive again from a BAG that `export --bag` wrote.

    The bag is validated first. Nothing is overwritten: if a file exists with other content, nothing is written at all.
    """
    from pipeline.copies.bag import restore
    from pipeline.runs.run import terminable
    from pipeline.runs.talk import Talk
    from pipeline.speech.cores import usable_cores

    with terminable(), Talk(quiet=as_json).bar("restore") as progress:  # SIGTERM would leave half a file behind
        made = restore(bag, db, workers=usable_cores(), progress=progress)
    if as_json:
        print_json({**asdict(made), "database": str(made.database)})
        return
    click.echo(f"{made.database}: {amount(made.files, 'file')}, {made.bytes / 1e6:.1f} MB")
