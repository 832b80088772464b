"""The command ``check``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
from sqlite_utils import Database

from pipeline.archive.checks import CheckedTogether, CheckEntry, check, history, place, undo
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
from pipeline.editing.checking import overlap
from pipeline.errors import CorrectionError
from pipeline.times import clock, exactly


@click.command("check")
@click.argument("episode")
@db_option
@click.option("--at", metavar="TIME", help="The passage’s time as the page shows it, 3:12, or a time in it, 3:14.5.")
@click.option("--to", metavar="TIME", help="Include all passages up to this time.")
@click.option("--text", help="The words as you hear them; '' if nothing is said.  [default: the current words]")
@click.option("--note", help="The reason; stored with the check.")
@editor_option
@click.option(
    "--undo", "undone", is_flag=True, help="Undo every check in force there; the ones before take effect again."
)
@click.option("--history", "shown", is_flag=True, help="Show what was checked and undone, there or in all of EPISODE.")
@json_option
def check_command(episode: str, db: Path, as_json: bool, undone: bool, shown: bool, **given: Any) -> None:
    """Record that you have listened to a passage of EPISODE: its words are right, or are --text.

    EPISODE is an id, a unique part of a title, or a link. From then on your words are used wherever the transcript is
    shown, searched, aligned or exported, also when the recording is transcribed again. The machine's words are kept,
    and every check and undo with its author and time.
    """
    if undone and shown:
        raise click.UsageError("--undo cannot be used with --history; leave it out.")
    if (undone or shown) and given["text"] is not None:
        raise click.UsageError(f"--text cannot be used with {'--undo' if undone else '--history'}; leave it out.")
    if not (given["at"] or shown):
        raise click.UsageError("Say where: --at TIME.")
    with (up_to_date_reader if shown else opened)(db) as archive:
        named = episode_named(archive.conn, episode)
        if shown:
            _show(archive, named, given, as_json)
            return
        with immediate(archive):
            here = _place(archive, named, given)
            if not undone and given["text"] is not None:
                _refuse_others(archive, here, given)
            (_undo if undone else _check)(archive, here, given)
            now = place(archive.conn, named, here.first, here.last)
    if as_json:
        print_json(asdict(now))
    else:
        how = "undone, now" if undone else "checked"
        click.echo(f"{named} {clock(now.start)} to {clock(now.end)} {how}: {now.text or '(nothing is said)'}")


def _place(archive: Database, episode: str, given: Mapping[str, Any]) -> CheckedTogether:
    """The passages that the command is about."""
    return place(archive.conn, episode, *passages_meant(archive.conn, episode, given))


def _refuse_others(archive: Database, here: CheckedTogether, given: Mapping[str, Any]) -> None:
    """Raise if the words would also replace passages other than the ones given."""
    if (here.first, here.last) != passages_meant(archive.conn, here.episode, given):
        start, end = exactly(here.start), exactly(here.end)
        raise CorrectionError(
            f"text: {start} to {end} was checked, or is spoken, as one: give all of its words, with "
            f"--at {start} --to {end}; or --undo the check first"
        )


def _check(archive: Database, here: CheckedTogether, given: Mapping[str, Any]) -> None:
    """Store the words for all passages together, or confirm each one separately so that it can be edited alone."""
    n = here.first
    while n <= here.last:
        one = here if given["text"] is not None else place(archive.conn, here.episode, n, n)
        check(archive, one.episode, (one.first, one.last), given["text"], signed(given), seen=one.seal)
        n = one.last + 1


def _undo(archive: Database, here: CheckedTogether, given: Mapping[str, Any]) -> None:
    if not here.checks:
        raise CorrectionError(f"{here.episode} has no check to undo at {exactly(here.start)}")
    for one in here.checks:
        undo(archive, here.episode, one.id, signed(given))


def _show(archive: Database, episode: str, given: Mapping[str, Any], as_json: bool) -> None:
    entries = _entries(archive, episode, given)
    print_history(entries, lambda entry: f"{exactly(entry.start)} {entry.summary}", as_json=as_json)


def _entries(archive: Database, episode: str, given: Mapping[str, Any]) -> list[CheckEntry]:
    if given["at"]:
        here = _place(archive, episode, given)
        return [one for one in history(archive.conn, here.rendition) if overlap(one, here)]
    transcript = preferred_transcript(archive.conn, episode)
    return list(history(archive.conn, transcript.rendition)) if transcript else []
