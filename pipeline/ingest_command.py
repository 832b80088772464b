"""The commands ``ingest``, ``poll`` and ``download``, and what the commands of all stages share."""

from __future__ import annotations

import logging
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipeline.errors import ArchiveError
from pipeline.model import STAGES, StageName, clock
from pipeline.options import db_option, feeds_option, json_option, print_json
from pipeline.times import interval

if TYPE_CHECKING:
    from pipeline.planning import Planned

_log = logging.getLogger(__name__)


def _day(context: click.Context, option: click.Parameter, value: str | None) -> str | None:
    try:
        return value and date.fromisoformat(value).isoformat()
    except ValueError:
        raise click.BadParameter(f"{value!r} is no day of the form YYYY-MM-DD", ctx=context, param=option) from None


def _interval(context: click.Context, option: click.Parameter, value: str | None) -> int | None:
    if value is None:
        return None
    seconds = interval(value)
    if seconds is None:
        raise click.BadParameter(f"{value!r} is no interval such as 30m, 6h or 1d", ctx=context, param=option)
    return seconds


def stage_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options that all stages have."""
    for option in reversed(
        [
            db_option,
            feeds_option,
            click.option("--only", metavar="FEED|EPISODE", help="Only this feed (slug) or this episode (id)."),
            click.option("--since", callback=_day, metavar="YYYY-MM-DD", help="Only episodes from that day on."),
            click.option("--limit", type=click.IntRange(1), metavar="N", help="Only the newest N episodes of a feed."),
            click.option("--dry-run", is_flag=True, help="Say what would be done; ask nobody and change nothing."),
            click.option("--again", is_flag=True, help="Do what is done already once more."),
            click.option("--quiet", is_flag=True, help="Say only what failed."),
            json_option,
        ]
    ):
        command = option(command)
    return command


def run_stages(stages: Sequence[StageName], *, db: Path, feeds: Path, as_json: bool, **options: Any) -> int:
    """Run stages as the options say; print the report, and return the exit code."""
    from pipeline import config
    from pipeline.choosing import Choice
    from pipeline.run import dry_run, run
    from pipeline.talk import Talk

    again = options["again"]
    choice = Choice(options["only"], options["since"], options["limit"])
    if options["dry_run"]:
        _print_plan(dry_run(config.load(feeds), db, stages=stages, choice=choice, again=again), as_json=as_json)
        return 0
    talk = Talk(quiet=options["quiet"])
    report = run(config.load(feeds), db, talk, stages=stages, choice=choice, again=again)
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
    click.echo(f"would be done: {said}. Feeds are not asked: what is new there comes on top.", err=True)


def _keep_running(stages: Sequence[StageName], every: int, *, feeds: Path, **options: Any) -> int:
    """Ingest again and again; what stops one run is said, and the next one comes all the same."""
    from pipeline import config
    from pipeline.run import terminable
    from pipeline.service import repeat

    def work() -> int:
        try:
            return run_stages(stages, feeds=feeds, **options)
        except ArchiveError as error:
            click.echo(f"Error: {error}", err=True)
            return error.exit_code
        except Exception:  # noqa: BLE001 - a service outlives what nobody thought of, but not silently
            _log.exception("the run failed")
            return 1

    def say(seconds: float) -> None:
        if not options["quiet"]:
            click.echo(f"next run in {clock(seconds)}", err=True)

    config.load(feeds)  # what is wrong from the beginning ends it
    with terminable():
        return repeat(work, every, say=say)


@click.command("ingest")
@stage_options
@click.option("--every", callback=_interval, metavar="INTERVAL", help="Do it again so often: 30m, 6h, 1d.")
@click.option("--until", type=click.Choice(STAGES), default=STAGES[-1], help="The last stage to do.  [default: all]")
def ingest_command(every: int | None, until: StageName, **options: Any) -> None:
    """Poll, download, transcribe and align: everything that is not done yet.

    With --until download it only acquires: transcripts can be made later, or on a faster computer.

    With --every a run that fails does not end the service, and feeds.yaml is read anew for each run. SIGTERM and
    Ctrl-C end it: with 0 between two runs, with 130 in the middle of one, of which all that was finished is kept.

    --dry-run says what the archive lacks by what it knows: feeds are not polled.
    """
    stages = STAGES[: STAGES.index(until) + 1]
    if every is None:
        sys.exit(run_stages(stages, **options))
    if options["dry_run"]:
        raise click.UsageError("--dry-run means nothing with --every.")
    sys.exit(_keep_running(stages, every, **options))


@click.command("poll")
@stage_options
def poll_command(**options: Any) -> None:
    """Read the feeds, and nothing else."""
    sys.exit(run_stages(("poll",), **options))


@click.command("download")
@stage_options
def download_command(**options: Any) -> None:
    """Download the audio of the episodes known so far."""
    sys.exit(run_stages(("download",), **options))
