"""Shared by the commands of the stages: their options, running them, and which options go together."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipeline.commands.options import day, db_option, feeds_option, json_option, print_json
from pipeline.errors import ArchiveError
from pipeline.exits import Exit
from pipeline.model import StageName

if TYPE_CHECKING:
    from pipeline.runs.planning import Planned

# Options that have no effect with --load, which works without a database.
NOT_WITH_LOAD = frozenset(
    {"feeds", "only", "since", "limit", "dry_run", "again", "everything", "quiet", "as_json", "check"}
)


def stage_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options common to all stages to a command."""
    for option in reversed(
        [
            db_option,
            feeds_option,
            click.option("--only", metavar="FEED|EPISODE", help="Only this feed (slug) or this episode (id)."),
            click.option("--since", callback=day, metavar="YYYY-MM-DD", help="Only episodes published from then on."),
            click.option("--limit", type=click.IntRange(1), metavar="N", help="Only the newest N episodes of a feed."),
            click.option("--dry-run", is_flag=True, help="Show what would be done, without network access or changes."),
            click.option("--again", is_flag=True, help="Redo what is already done."),
            click.option("--quiet", is_flag=True, help="Report failures only."),
            json_option,
        ]
    ):
        command = option(command)
    return command


def run_stages(stages: Sequence[StageName], *, db: Path, feeds: Path, as_json: bool, **options: Any) -> Exit:
    """Run stages with the given options, print the report, and return the exit code."""
    from pipeline import config
    from pipeline.runs.run import dry_run, run
    from pipeline.runs.selection import Selection
    from pipeline.runs.talk import Talk

    again = options["again"]
    selection = Selection(options["only"], options["since"], options["limit"])
    if options["dry_run"]:
        _print_plan(dry_run(config.load(feeds), db, stages=stages, selection=selection, again=again), as_json=as_json)
        return Exit.OK
    talk = Talk(quiet=options["quiet"])
    report = run(config.load(feeds), db, talk, stages=stages, selection=selection, again=again)
    if as_json:
        print_json(report.as_dict())
    return report.exit_code


def _print_plan(planned: Sequence[Planned], *, as_json: bool) -> None:
    if as_json:
        print_json([asdict(one) for one in planned])
        return
    for one in planned:
        click.echo(f"{one.episode or one.feed} {one.stage}: {one.title}")
    counts = Counter(one.stage for one in planned)
    said = ", ".join(f"{stage} {count}" for stage, count in counts.items()) or "nothing"
    click.echo(f"would be done: {said}. Feeds were not polled: new episodes there would come on top.", err=True)


def refuse(context: click.Context, names: frozenset[str], *, beside: str) -> None:
    """Raise a usage error for options that another option would silently ignore."""
    for option in context.command.params:
        if option.name in names and is_given(context, option.name):
            raise click.UsageError(f"{option.opts[0]} cannot be used with {beside}; leave it out.")


def is_given(context: click.Context, name: str) -> bool:
    """Tell whether an option was given, even with its default value."""
    return context.get_parameter_source(name) is not click.core.ParameterSource.DEFAULT


def print_lines(results: Any) -> int:
    """Print each result as one line of JSON, each failure to stderr; return how many failed."""
    failed = 0
    for path, result in results:
        if isinstance(result, ArchiveError):
            failed += 1
            click.echo(f"{path}: {result}", err=True)
        else:
            click.echo(json.dumps(result, ensure_ascii=False))
    return failed
