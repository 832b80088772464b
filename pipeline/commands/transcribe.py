"""The command ``transcribe``."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import get_args

import click

from pipeline.archive.database import up_to_date_reader
from pipeline.commands.options import FilePath
from pipeline.commands.stages import StageOptions, is_given, print_lines, run_stages, stage_options, takes_only
from pipeline.errors import ArchiveError
from pipeline.exits import Exit
from pipeline.times import clock
from pipeline.whisper_models import EngineName


@click.command("transcribe")
@stage_options
@click.option("--load", "files", type=FilePath, multiple=True, help="Transcribe AUDIO alone, without a database.")
@click.argument("more_files", nargs=-1, type=FilePath, metavar="[AUDIO]...")
@click.option("--model", default="tiny.en", show_default=True, help="With --load: a Whisper model or its path.")
@click.option(
    "--engine",
    type=click.Choice(get_args(EngineName)),
    default="faster-whisper",
    show_default=True,
    help="With --load: which Whisper to use.",
)
@click.option("--language", default="en", show_default=True, help="With --load: the language spoken.")
@click.option("--explain", is_flag=True, help="Explain what was done about every implausible stretch.")
@click.option("--check", is_flag=True, help="Only let the other engine hear a sample, and show where they disagree.")
def transcribe_command(
    options: StageOptions,
    /,
    files: tuple[Path, ...],
    more_files: tuple[Path, ...],
    model: str,
    engine: EngineName,
    language: str,
    explain: bool,
    check: bool,
) -> None:
    """Transcribe the audio kept so far; or, with --load AUDIO..., audio files alone.

    With --load nothing is stored: one line of JSON is printed per file, with
    what may have been missed in "remarks". A model that has to be assembled
    first is stored in your cache folder, or beside the database if --db is
    given.
    """
    if not files and more_files:
        raise click.UsageError("Audio files need --load before them.")
    if not files:
        _refuse_without_load()
        if check:
            takes_only("--check", "--db", "--feeds", "--only", "--json")
            sys.exit(_check(options))
        if explain:
            takes_only("--explain", "--db", "--feeds", "--only", "--again", "--quiet", "--json")
        code = run_stages(("transcribe",), options)
        if explain:
            _explain(options)
        sys.exit(code)
    takes_only("--load", "--db", "--model", "--engine", "--language", "--explain")
    from pipeline.data_folder import MODELS
    from pipeline.runs.alone import transcribe_files

    cache = options.db.parent / MODELS if is_given("db") else _user_cache()
    failed = print_lines(
        transcribe_files(
            [*files, *more_files],
            model=model,
            engine=engine,
            language=language,
            cache=cache,
            explain=(lambda line: click.echo(line, err=True)) if explain else None,
        )
    )
    sys.exit(Exit.after(failed))


def _refuse_without_load() -> None:
    """Refuse options that have no effect without --load: feeds.yaml sets these for each show."""
    for name in ("model", "engine", "language"):
        if is_given(name):
            raise click.UsageError(f"--{name} needs --load; without it feeds.yaml sets the {name} of each show.")


def _explain(options: StageOptions) -> None:
    from pipeline import config
    from pipeline.runs.second_opinions import gate_reports
    from pipeline.speech.explain import explained

    told = 0
    with up_to_date_reader(options.db) as archive:
        for episode, report in gate_reports(config.load(options.feeds), archive, options.selection.only):
            told += 1
            # With --json stdout is for the report of the run.
            click.echo(f"{episode}: " + "\n".join(explained(report)), err=options.as_json)
    _say_if_none(told, options, "explain")


def _check(options: StageOptions) -> Exit:
    from pipeline import config
    from pipeline.data_folder import MODELS
    from pipeline.runs.run import engines
    from pipeline.runs.second_opinions import second_opinions

    compared, failed, folder = 0, 0, options.db.parent
    with up_to_date_reader(options.db) as archive:
        make, shows = engines(folder / MODELS), config.load(options.feeds)
        for episode, found in second_opinions(shows, archive, folder, make, options.selection.only):
            compared += 1
            if isinstance(found, ArchiveError):
                failed += 1
                click.echo(f"{episode}: {found}", err=True)
            elif options.as_json:
                click.echo(json.dumps({"episode": episode, **found}, ensure_ascii=False))
            else:
                click.echo(f"{episode}: {found['disagreement']:.1%} of the words differ ({found['engine']})")
                for window in found["windows"]:
                    if window["disagreement"]:
                        click.echo(f"  {clock(window['start'])}-{clock(window['end'])}: {window['disagreement']:.1%}")
                        click.echo(f"    here:  {window['ours']}\n    there: {window['theirs']}")
    _say_if_none(compared, options, "compare")
    return Exit.after(failed)


def _say_if_none(told: int, options: StageOptions, what: str) -> None:
    """Say which shows and which archive were looked at in vain: often another of either is meant."""
    if not (told or options.quiet):
        which = f"{options.selection.only} has no" if options.selection.only else f"no show in {options.feeds} has a"
        click.echo(f"{options.db}: {which} transcript to {what}", err=True)


def _user_cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "interview-archive"
