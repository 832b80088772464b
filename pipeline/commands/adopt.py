"""The command ``adopt``."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import click

from pipeline.adopt.matching import Adoption
from pipeline.archive.database import bring_up_to_date, writer
from pipeline.commands.options import db_option, json_option, print_json
from pipeline.exits import Exit
from pipeline.files import as_text
from pipeline.times import utc_now

_Path = click.Path(path_type=Path, exists=True)


@click.command("adopt")
@click.argument("paths", nargs=-1, required=True, type=_Path, metavar="FILE|FOLDER...")
@db_option
@click.option("--only", metavar="FEED", help="Only episodes of this feed (slug).")
@click.option("--episode", metavar="EPISODE", help="The episode of a single FILE: an id, a part of a title, or a link.")
@click.option("--dry-run", is_flag=True, help="Show what would be adopted, without adopting it.")
@json_option
def adopt_command(
    paths: tuple[Path, ...], db: Path, only: str | None, episode: str | None, dry_run: bool, as_json: bool
) -> None:
    """Use audio files that are already on disk for their episodes, instead of downloading them.

    The feeds must have been read before (`poll`). A file is recognised by the guid in its tag, or by two of title, file
    name, date and duration; one that matches no episode, or several, is listed with the reason and left alone. Each
    file is copied into the archive after the same check as a download; the original is not changed.

    Exit code 3 means that some file was left alone.
    """
    from pipeline.adopt.keeping import adopt, audio_files, matched, named
    from pipeline.net.client import make_client
    from pipeline.runs.run import terminable

    files, left = audio_files(paths)
    if episode is not None and len(files) != 1:
        raise click.UsageError("--episode needs exactly one FILE.")
    bring_up_to_date(db)  # a writer would make an archive that there is not
    with terminable(), writer(db) as archive, make_client() as client:
        if episode is None:
            found = matched(archive, db.parent, files, only=only)
        else:
            found = [named(archive, files[0], episode)]
        done = [one if dry_run else adopt(archive, db.parent, one, client, now=utc_now()) for one in found]
    done += left
    _tell(done, "would be adopted" if dry_run else "adopted", as_json=as_json)
    sys.exit(Exit.after([one for one in done if one.status == "left"]))


def _tell(done: Sequence[Adoption], adopted: str, *, as_json: bool) -> None:
    states = {"adopt": adopted, "kept": "already kept", "left": "left alone"}
    if as_json:
        print_json(
            [
                {"file": as_text(str(one.path)), "status": states[one.status], "episode": one.episode, "why": one.why}
                for one in done
            ]
        )
        return
    for one in done:
        click.echo(
            f"{as_text(str(one.path))}: {states[one.status]}{f', {one.episode}' if one.episode else ''} ({one.why})"
        )
    counts = ", ".join(f"{sum(one.status == status for one in done)} {state}" for status, state in states.items())
    click.echo(counts, err=True)
