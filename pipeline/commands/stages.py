"""Shared by the commands of the stages: their options, running them, and which options go together."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipeline.archive.database import existing
from pipeline.commands.options import day, db_option, feeds_option, json_option, print_json
from pipeline.errors import ArchiveError
from pipeline.exits import Exit
from pipeline.model import StageName
from pipeline.runs.selection import Selection

if TYPE_CHECKING:
    from pipeline.runs.alone import Result
    from pipeline.runs.planning import Planned


@dataclass(frozen=True, slots=True)
class StageOptions:
    """The options common to all stages, as they were given."""

    db: Path
    feeds: Path
    selection: Selection
    dry_run: bool
    again: bool
    quiet: bool
    as_json: bool


def stage_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options common to all stages to a command, which gets them as its first argument."""

    @wraps(command)
    def gathered(*, only: str | None, since: str | None, limit: int | None, **given: Any) -> None:
        common = {name: given.pop(name) for name in ("db", "feeds", "dry_run", "again", "quiet", "as_json")}
        command(StageOptions(selection=Selection(only, since, limit), **common), **given)

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
        gathered = option(gathered)
    return gathered


def run_stages(stages: Sequence[StageName], options: StageOptions) -> Exit:
    """Run stages with the given options, print the report, and return the exit code."""
    from pipeline import config
    from pipeline.runs.run import dry_run, run
    from pipeline.runs.talk import Talk

    shows, chosen = config.load(options.feeds), options.selection
    if "poll" not in stages:
        existing(options.db)  # where nothing was polled there is nothing to do: it is another --db that is meant
    if options.dry_run:
        planned = dry_run(shows, options.db, stages=stages, selection=chosen, again=options.again)
        _print_plan(planned, as_json=options.as_json)
        return Exit.OK
    talk = Talk(quiet=options.quiet)
    report = run(shows, options.db, talk, stages=stages, selection=chosen, again=options.again)
    if options.as_json:
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


def takes_only(mode: str, *others: str) -> None:
    """Raise a usage error if an option was given that ``mode`` would silently ignore.

    Args:
        mode: the option that was chosen, as it is typed.
        others: the options that can be used with it.
    """
    for option in click.get_current_context().command.params:
        allowed = isinstance(option, click.Argument) or option.opts[0] in {mode, *others}
        if not allowed and is_given(option.name or ""):
            raise click.UsageError(f"{option.opts[0]} cannot be used with {mode}; leave it out.")


def is_given(name: str) -> bool:
    """Tell whether an option of the command was given, even with its default value."""
    return click.get_current_context().get_parameter_source(name) is not click.core.ParameterSource.DEFAULT


def print_lines(results: Iterable[Result]) -> int:
    """Print each result as one line of JSON, each failure to stderr; return how many failed."""
    failed = 0
    for path, result in results:
        if isinstance(result, ArchiveError):
            failed += 1
            click.echo(f"{path}: {result}", err=True)
        else:
            click.echo(json.dumps(result, ensure_ascii=False))
    return failed
