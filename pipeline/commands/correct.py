"""The command ``correct``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
from sqlite_utils import Database

from pipeline.addresses import Addresses
from pipeline.archive.corrections import STATUSES, CorrectionEntry, correct, doubt_at, history, undo
from pipeline.archive.database import editor as opened
from pipeline.archive.database import immediate, up_to_date_reader
from pipeline.archive.questions.asked import questions_of
from pipeline.archive.questions.doubts import Doubt, worth_a_look
from pipeline.archive.reading import episode_named
from pipeline.commands.options import (
    FilePath,
    db_option,
    editor_name,
    editor_option,
    json_option,
    print_history,
    print_json,
    signed,
)
from pipeline.editing.correcting import Row, correction, number, read_rows
from pipeline.errors import CorrectionError, UnknownEpisodeError
from pipeline.model import Correction
from pipeline.times import exactly, utc_now

# The arguments and options allowed with each option that selects another action than correcting one question.
_WITH = {
    "look": {"episode"},
    "history": {"episode", "question"},
    "file": {"editor"},
    "undo": {"episode", "question", "note", "editor"},
}


@click.command("correct")
@click.argument("episode", required=False)
@click.argument("question", required=False, metavar="[Q]")
@db_option
@click.option("--start", metavar="TIME", help="When it begins to be asked: 3:12, 1:03:12.5 or 192.4.")
@click.option("--end", metavar="TIME", help="When the question ends.")
@click.option("--answer-end", metavar="TIME", help="When the answer ends.")
@click.option("--status", type=click.Choice(STATUSES), help="Without --start, asked confirms the current time.")
@click.option("--note", help="The reason; stored with the correction.")
@editor_option
@click.option("--undo", is_flag=True, help="Undo the question's last correction.")
@click.option("--history", is_flag=True, help="Show what was corrected and undone.")
@click.option("--look", is_flag=True, help="List what to look at first, of one episode or of all.")
@click.option("--from", "file", type=FilePath, metavar="FILE", help="Record all corrections of a CSV or YAML file.")
@json_option
@click.pass_context
def correct_command(context: click.Context, /, db: Path, as_json: bool, **given: Any) -> None:
    """Correct when question number Q of EPISODE is asked; the last correction replaces all earlier ones.

    EPISODE is an id, a unique part of a title, or a link. Nothing is ever lost: every correction and undo is kept with
    its author and time, and belongs to the recording, so it stays in force when that is transcribed or aligned again.

    A file for --from has the columns (CSV) or keys (YAML) episode, question, start, end, answer_end, status, note and
    editor; it is recorded as a whole or not at all.
    """
    mode = _mode(context, given)
    with (up_to_date_reader if mode in {_history, _look} else opened)(db) as archive:
        mode(archive, given, as_json)


def _mode(context: click.Context, given: Mapping[str, Any]) -> Callable[[Database, Mapping[str, Any], bool], None]:
    """Choose the action, and raise a usage error for options it would silently ignore."""
    flags = {option.name: option.opts[0] for option in context.command.params if option.name}
    chosen = [name for name in _WITH if given[name]]
    if chosen:
        meant = _WITH[chosen[0]] | {chosen[0]}
        for name, value in given.items():
            if value and name not in meant:
                raise click.UsageError(f"{flags[name]} cannot be used with {flags[chosen[0]]}; leave it out.")
    elif not (given["start"] or given["status"]):
        raise click.UsageError("Say what to correct: --start TIME, or --status.")
    name = chosen[0] if chosen else "one"
    if name in {"one", "undo", "history"} and not given["episode"]:
        raise click.UsageError("Name an EPISODE: its id, a part of its title, or its link.")
    if name in {"one", "undo"} and not given["question"]:
        raise click.UsageError("Give the number of the question, Q.")
    return {"one": _one, "undo": _undo, "history": _history, "look": _look, "file": _file}[name]


def _one(archive: Database, given: Mapping[str, Any], as_json: bool) -> None:
    which = number("question", given)
    said = correction(given, which, editor=editor_name(given["editor"]), now=utc_now())
    episode = episode_named(archive.conn, given["episode"])
    replaced = _replaced(archive, episode, said)
    correct(archive, episode, said)
    _tell(archive, episode, which, as_json)
    for remark in filter(None, (replaced, doubt_at(archive, episode, said.start))):
        click.echo(remark, err=True)


def _replaced(archive: Database, episode: str, said: Correction) -> str | None:
    """Say which other editor's correction one is about to replace: nobody has seen it here, as one does on the site."""
    entries = (one for one in history(archive, episode) if one.number == said.number and one.counts)
    other = next((one for one in entries if one.editor != said.editor), None)
    if other is None:
        return None
    return f"{episode} question {said.number}: replaces “{other.summary}” by {other.editor or 'somebody'}"


def _undo(archive: Database, given: Mapping[str, Any], as_json: bool) -> None:
    which = number("question", given)
    episode = episode_named(archive.conn, given["episode"])
    undo(archive, episode, which, signed(given))
    _tell(archive, episode, which, as_json, done="undone, now ")


def _tell(archive: Database, episode: str, which: int, as_json: bool, *, done: str = "") -> None:
    """Print a question's current state, after what was ``done``."""
    (now,) = (one for one in questions_of(archive.conn, [episode])[episode] if one.number == which)
    if as_json:
        print_json({"episode": episode, **asdict(now)})
        return
    click.echo(f"{episode} {done}{now.summary}")


def _history(archive: Database, given: Mapping[str, Any], as_json: bool) -> None:
    which = number("question", given) if given["question"] else None
    entries = history(archive, episode_named(archive.conn, given["episode"]))
    shown = [entry for entry in entries if which in {None, entry.number}]
    print_history(shown, lambda entry: f"{_question(entry)} {entry.summary}", as_json=as_json)


def _question(entry: CorrectionEntry) -> str:
    return f"question {entry.number}" if entry.number else f"a question no longer listed (“{entry.question}”)"


def _look(archive: Database, given: Mapping[str, Any], as_json: bool) -> None:
    episode = episode_named(archive.conn, given["episode"]) if given["episode"] else None
    doubts = worth_a_look(archive.conn, episode)
    if as_json:
        print_json([{**asdict(doubt), "path": _path(doubt)} for doubt in doubts])
        return
    for doubt in doubts:
        when = f" at {exactly(doubt.start)}" if doubt.start is not None else ""
        other = f"; or at {exactly(doubt.runner_up)}" if doubt.runner_up is not None else ""
        click.echo(
            f"{doubt.title}, question {doubt.number}: {doubt.status.replace('_', ' ')}{when}, "
            f"{doubt.confidence:.2f} sure{other} [{', '.join(doubt.reasons)}]\n  {doubt.text}\n  {_path(doubt)}"
        )
    click.echo(f"{len(doubts)} to look at", err=True)


def _path(doubt: Doubt) -> str:
    """Where its row is on the site."""
    return Addresses().question(doubt.episode, doubt.number)


def _file(archive: Database, given: Mapping[str, Any], as_json: bool) -> None:
    rows = read_rows(given["file"])
    who, now, wrong, replaced = editor_name(given["editor"]), utc_now(), [], []
    lines: dict[tuple[str, int], int] = {}
    with immediate(archive):
        for row in rows:
            where = f"{given['file']}, line {row.line}"
            try:
                episode, said = _read(archive, row, editor=who, now=now)
                first = lines.setdefault((episode, said.number), row.line)
                if first == row.line:
                    replaced.append(_replaced(archive, episode, said))
                    correct(archive, episode, said)
                else:
                    wrong.append(f"{where}: question {said.number} of {episode} is in line {first}, too; leave one")
            except (CorrectionError, UnknownEpisodeError) as error:
                wrong.append(f"{where}: {error}")
        if wrong:
            raise CorrectionError("\n".join([*wrong, "nothing from the file was recorded"]))
    for remark in filter(None, replaced):
        click.echo(remark, err=True)
    if as_json:
        print_json({"recorded": len(rows)})
    else:
        click.echo(f"{len(rows)} recorded")


def _read(archive: Database, row: Row, *, editor: str, now: str) -> tuple[str, Correction]:
    """The episode's id and the correction that a row means; it may name another editor."""
    which = number("question", row.fields)
    by = editor_name(row.fields.get("editor", editor))
    said = correction(row.fields, which, editor=by, now=now)
    return episode_named(archive.conn, row.fields["episode"]), said
