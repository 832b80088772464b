"""The command ``renditions``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from pipeline.archive.database import editor, up_to_date_reader
from pipeline.archive.reading import episode_named
from pipeline.archive.rendition_choice import account
from pipeline.archive.renditions import Chosen, KeptRendition, choices, choose_rendition, renditions_of, several
from pipeline.commands.options import db_option, editor_name, editor_option, json_option, print_json
from pipeline.editing.correcting import note
from pipeline.times import clock, exactly, utc_now


@click.command("renditions")
@click.argument("episode", required=False)
@db_option
@click.option("--choose", "name", metavar="SHA256", help="Use this recording of EPISODE; its first digits are enough.")
@click.option("--note", help="The reason; stored with the choice.")
@editor_option
@json_option
def renditions_command(episode: str | None, db: Path, name: str | None, as_json: bool, **given: Any) -> None:
    """List the recordings that were kept of EPISODE, or of all that have several, and what each has of the others.

    EPISODE is an id, a unique part of a title, or a link. A later recording becomes the current one automatically if it
    lacks part of the earlier one. Your choice overrides this until you choose again; the next `ingest` transcribes the
    chosen recording. Every choice is kept, with its author, time and reason.
    """
    if name is not None:
        if episode is None:
            raise click.UsageError("--choose needs an EPISODE.")
        _choose(db, episode, name, given)
    with up_to_date_reader(db) as archive:
        named = several(archive.conn) if episode is None else (episode_named(archive.conn, episode),)
        found = {one: (renditions_of(archive.conn, one), choices(archive.conn, one)) for one in named}
    if as_json:
        print_json({one: {"renditions": _dicts(kept), "choices": _dicts(made)} for one, (kept, made) in found.items()})
        return
    for one, (kept_files, history) in found.items():
        click.echo(one)
        for kept in kept_files:
            for line in _lines(kept):
                click.echo(f"  {line}")
        for made in history:
            click.echo(f"  {made.chosen_at} {made.chosen_by or 'by rule'}: {made.rendition[:12]}, {made.reason}")
    if not found:
        click.echo("no episode has more than one recording", err=True)


def _dicts(rows: Sequence[KeptRendition] | Sequence[Chosen]) -> list[dict[str, Any]]:
    return [asdict(row) for row in rows]


def _choose(db: Path, episode: str, name: str, given: Mapping[str, Any]) -> None:
    with editor(db) as archive:
        named = episode_named(archive.conn, episode)
        by = editor_name(given["editor"])
        choose_rendition(archive, named, name, reason=note(given) or "chosen by hand", chosen_by=by, now=utc_now())


def _lines(kept: KeptRendition) -> Iterator[str]:
    """The lines about a recording: itself, and each earlier one that it was compared with."""
    facts = [clock(kept.duration), f"{kept.bytes / 1e6:.1f} MB", f"fetched {kept.fetched_at}"]
    facts += ["transcribed"] if kept.transcribed else []
    facts += ["in use"] if kept.current else []
    yield f"{kept.sha256[:12]} {', '.join(facts)}"
    for comparison in kept.comparisons:
        yield f"  compared with {comparison.old[:12]}: {comparison.verdict}: {account(comparison)}"
        for start, end, new_start in comparison.pieces:
            yield f"    {exactly(start)} to {exactly(end)} is at {exactly(new_start)} ({new_start - start:+.3f} s)"
