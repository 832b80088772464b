"""The commands ``ingest``, ``poll`` and ``download``."""

from __future__ import annotations

import logging
import sys
from collections.abc import Sequence

import click

from pipeline.commands.stages import StageOptions, run_stages, stage_options
from pipeline.errors import ArchiveError
from pipeline.exits import Exit
from pipeline.model import STAGES, StageName
from pipeline.times import clock, interval

_log = logging.getLogger(__name__)


def _interval(context: click.Context, option: click.Parameter, value: str | None) -> int | None:
    if value is None:
        return None
    seconds = interval(value)
    if seconds is None:
        raise click.BadParameter(f"{value!r} is not an interval such as 30m, 6h or 1d", ctx=context, param=option)
    return seconds


def _keep_running(stages: Sequence[StageName], every: int, options: StageOptions) -> Exit:
    """Ingest repeatedly; an error that stops a run is printed, and the next run starts as planned."""
    from pipeline import config
    from pipeline.runs.run import terminable
    from pipeline.runs.service import repeat

    def work() -> Exit:
        try:
            return run_stages(stages, options)
        except ArchiveError as error:
            click.echo(f"Error: {error}", err=True)
            return error.exit_code
        except Exception:  # noqa: BLE001 - a service outlives what nobody thought of, but not silently
            _log.exception("the run failed")
            return Exit.STOPPED

    def say(seconds: float) -> None:
        if not options.quiet:
            click.echo(f"next run in {clock(seconds)}", err=True)

    config.load(options.feeds)  # an error at the start ends the service
    with terminable():
        return repeat(work, every, say=say)


@click.command("ingest")
@stage_options
@click.option("--every", callback=_interval, metavar="INTERVAL", help="Repeat at this interval: 30m, 6h, 1d.")
@click.option("--until", type=click.Choice(STAGES), default=STAGES[-1], help="The last stage to run.  [default: all]")
def ingest_command(options: StageOptions, /, every: int | None, until: StageName) -> None:
    """Poll, download, transcribe and align: everything that is not done yet.

    --until download stops after downloading, so that transcribing can be done later or on a faster computer.

    With --every it runs as a service: a failed run does not end it, and feeds.yaml is read again for each run. SIGTERM
    and Ctrl-C end it, with exit code 0 between runs and 130 during one; finished work is kept.

    --dry-run does not poll the feeds, so it cannot show episodes that are not known yet.
    """
    stages = STAGES[: STAGES.index(until) + 1]
    if every is None:
        sys.exit(run_stages(stages, options))
    if options.dry_run:
        raise click.UsageError("--dry-run cannot be used with --every.")
    sys.exit(_keep_running(stages, every, options))


@click.command("poll")
@stage_options
def poll_command(options: StageOptions) -> None:
    """Read the feeds, and nothing else."""
    sys.exit(run_stages(("poll",), options))


@click.command("download")
@stage_options
def download_command(options: StageOptions) -> None:
    """Download the audio of the episodes known so far."""
    sys.exit(run_stages(("download",), options))
