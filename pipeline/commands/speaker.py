"""The command ``speaker``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
from sqlite_utils import Database

from pipeline.archive.attributions import SpokenTogether, attribute, history, speech, undo
from pipeline.archive.database import editor as opened
from pipeline.archive.database import immediate, up_to_date_reader
from pipeline.archive.preferred import preferred_transcript
from pipeline.archive.reading import episode_named
from pipeline.commands.options import (
    db_option,
    editor_option,
    json_option,
    passages_meant,
    print_history,
    print_json,
    signed,
)
from pipeline.errors import CorrectionError
from pipeline.times import clock, exactly


@click.command("speaker")
@click.argument("episode")
@click.argument("name", required=False)
@db_option
@click.option("--at", metavar="TIME", help="The passage’s time as the page shows it, 3:12, or a time in it, 3:14.5.")
@click.option("--to", metavar="TIME", help="Include all passages up to this time.")
@click.option("--everywhere", is_flag=True, help="Name this voice wherever it is heard in the recording.")
@click.option("--note", help="The reason; stored with the name.")
@editor_option
@click.option(
    "--undo", "undone", is_flag=True, help="Undo the name in force there; the one before it takes effect again."
)
@click.option("--history", "shown", is_flag=True, help="Show which names were given and undone.")
@json_option
def speaker_command(
    episode: str, name: str | None, db: Path, as_json: bool, undone: bool, shown: bool, **given: Any
) -> None:
    """Record that NAME speaks in a passage of EPISODE; '' if nobody is to be named.

    EPISODE is an id, a unique part of a title, or a link. From then on the name is used wherever the transcript is
    shown, searched, aligned or exported, also when the recording is transcribed again. The machine's speaker is kept,
    and everything that was recorded, with its author and time.
    """
    if sum((undone, shown, name is not None)) != 1:
        raise click.UsageError("Give a NAME, --undo or --history.")
    if given["everywhere"] and name is None:
        raise click.UsageError("--everywhere can only be used with a NAME; leave it out.")
    if not (given["at"] or shown):
        raise click.UsageError("Say where: --at TIME.")
    with (up_to_date_reader if shown else opened)(db) as archive:
        named = episode_named(archive.conn, episode)
        if shown:
            _show(archive, named, as_json)
            return
        with immediate(archive):
            here = speech(archive.conn, named, *passages_meant(archive.conn, named, given))
            if undone:
                _undo(archive, here, given)
            else:
                attribute(
                    archive,
                    named,
                    (here.first, here.last),
                    name or "",
                    signed(given),
                    seen=here.seal,
                    everywhere=given["everywhere"],
                )
            now = speech(archive.conn, named, here.first, here.last)
    if as_json:
        print_json(asdict(now))
    else:
        how = "undone, now: " if undone else ""
        click.echo(f"{named} {clock(now.start)} to {clock(now.end)}: {how}{now.speaker} speaks")


def _undo(archive: Database, here: SpokenTogether, given: Mapping[str, Any]) -> None:
    if not here.counting:
        raise CorrectionError(f"{here.episode} has nothing to undo at {exactly(here.start)}")
    for number in here.counting:
        undo(archive, here.episode, number, signed(given))


def _show(archive: Database, episode: str, as_json: bool) -> None:
    transcript = preferred_transcript(archive.conn, episode)
    entries = history(archive.conn, transcript.rendition) if transcript else ()
    print_history(entries, lambda entry: f"{exactly(entry.start)} {entry.summary}", as_json=as_json)
