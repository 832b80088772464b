"""Options shared by several commands, and helpers for them."""

from __future__ import annotations

import getpass
import json
import os
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any, TypeVar

import click

from pipeline.archive.attributions import AttributionEntry
from pipeline.archive.checks import CheckEntry
from pipeline.archive.corrections import CorrectionEntry
from pipeline.archive.preferred import passages_at
from pipeline.editing.correcting import editor, signature, stretch
from pipeline.editing.pointing import is_of_a_clock
from pipeline.errors import ConfigError
from pipeline.model import Signature
from pipeline.text import amount
from pipeline.times import utc_now

Entry = TypeVar("Entry", CheckEntry, AttributionEntry, CorrectionEntry)


class _DatabasePath(click.Path):
    """A path of a database. Of a link it is that of the database: its lock and its data folder lie beside that."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        path: Path = Path(os.fsdecode(super().convert(value, param, ctx)))
        return Path(os.path.realpath(path)) if path.is_symlink() else path


FilePath = click.Path(path_type=Path)
DatabasePath = _DatabasePath(path_type=Path)
db_option = click.option(
    "--db", type=DatabasePath, default=Path("db/archive.db"), show_default=True, help="The archive's database."
)
feeds_option = click.option(
    "--feeds", type=FilePath, default=Path("feeds.yaml"), show_default=True, help="The file that lists the shows."
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")
editor_option = click.option("--editor", help="Your name as the editor.  [default: your user name]")


def day(context: click.Context, option: click.Parameter, value: str | None) -> str | None:
    """Accept only an existing date in the form YYYY-MM-DD; a callback for options."""
    if value is None:
        return None
    try:
        found = date.fromisoformat(value).isoformat()
    except ValueError:
        found = None
    if found != value:  # Python also accepts other forms, such as 20200131
        raise click.BadParameter(f"{value!r} is not a date of the form YYYY-MM-DD.", ctx=context, param=option)
    return value


def editor_name(given: str | None) -> str:
    """Return the given name, else the user name.

    Raises:
        CorrectionError: what was given is no name.
        ConfigError: the system has no name for the user.
    """
    if given:
        return editor(given)
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # this user id has no name, as in some containers
        raise ConfigError("give your name: --editor NAME") from None


def signed(given: Mapping[str, str | None]) -> Signature:
    """Return the signature for something recorded now, from the options ``--editor`` and ``--note``.

    Raises:
        ConfigError: the system has no name for the user.
        CorrectionError: the note is too long.
    """
    return signature(given, editor=editor_name(given["editor"]), now=utc_now())


def print_json(content: object) -> None:
    """Print data as indented JSON."""
    click.echo(json.dumps(content, indent=2, ensure_ascii=False))


def passages_meant(connection: sqlite3.Connection, episode: str, given: Mapping[str, Any]) -> tuple[int, int]:
    """Return the numbers of the first and the last passage that the options ``--at`` and ``--to`` mean.

    Raises:
        CorrectionError: one of them is not a time, or nothing is said there.
    """
    start, end = stretch(given)
    return passages_at(connection, episode, start, end, of_a_clock=is_of_a_clock(given["at"]))


def print_history(entries: Sequence[Entry], describe: Callable[[Entry], str], *, as_json: bool) -> None:
    """Print rows of the editing history, each with a description, or all of them as JSON."""
    if as_json:
        print_json([{**asdict(entry), "counts": entry.counts} for entry in entries])
        return
    for entry in entries:
        state = " (undone since)" if entry.undone else " (in force)" if entry.counts else ""
        note = f" – {entry.note}" if entry.note else ""
        click.echo(f"{entry.made_at} {entry.editor or '?'}: {describe(entry)}{state}{note}")
    click.echo(amount(len(entries), "entry", "entries"), err=True)
