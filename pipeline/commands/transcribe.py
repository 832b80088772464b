"""The command ``transcribe``."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipeline.archive.database import up_to_date_reader
from pipeline.commands.options import FilePath
from pipeline.commands.stages import NOT_WITH_LOAD, is_given, print_lines, refuse, run_stages, stage_options
from pipeline.errors import ArchiveError
from pipeline.exits import Exit
from pipeline.times import clock

if TYPE_CHECKING:
    from pipeline.whisper_models import EngineName

# Options that have no effect with --check or --explain.
_NOT_WITH_CHECK = frozenset({"since", "limit", "dry_run", "again", "quiet", "explain"})
_NOT_WITH_EXPLAIN = frozenset({"since", "limit", "dry_run"})


@click.command("transcribe")
@stage_options
@click.option("--load", "files", type=FilePath, multiple=True, help="Transcribe AUDIO alone, without a database.")
@click.argument("more_files", nargs=-1, type=FilePath, metavar="[AUDIO]...")
@click.option("--model", default="tiny.en", show_default=True, help="With --load: a Whisper model or its path.")
@click.option(
    "--engine",
    type=click.Choice(["faster-whisper", "openai-whisper"]),
    default="faster-whisper",
    show_default=True,
    help="With --load: which Whisper to use.",
)
@click.option("--language", default="en", show_default=True, help="With --load: the language spoken.")
@click.option("--explain", is_flag=True, help="Explain what was done about every implausible stretch.")
@click.option("--check", is_flag=True, help="Only let the other engine hear a sample, and show where they disagree.")
@click.pass_context
def transcribe_command(
    context: click.Context,
    /,
    files: tuple[Path, ...],
    more_files: tuple[Path, ...],
    model: str,
    engine: EngineName,
    language: str,
    explain: bool,
    check: bool,
    **options: Any,
) -> None:
    """Transcribe the audio kept so far; or, with --load AUDIO..., audio files alone.

    With --load nothing is stored: one line of JSON is printed per file. A model that has to be assembled first is
    stored in your cache folder, or beside the database if --db is given.
    """
    if not files and more_files:
        raise click.UsageError("Audio files need --load before them.")
    if not files:
        _refuse_without_load(context)
        if check:
            refuse(context, _NOT_WITH_CHECK, beside="--check")
            sys.exit(_check(**options))
        if explain:
            refuse(context, _NOT_WITH_EXPLAIN, beside="--explain")
        code = run_stages(("transcribe",), **options)
        if explain:
            _explain(**options)
        sys.exit(code)
    refuse(context, NOT_WITH_LOAD, beside="--load")
    from pipeline.data_folder import MODELS
    from pipeline.runs.alone import transcribe_files

    cache = options["db"].parent / MODELS if is_given(context, "db") else _user_cache()
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


def _refuse_without_load(context: click.Context) -> None:
    """Refuse options that have no effect without --load: feeds.yaml sets these for each show."""
    for name in ("model", "engine", "language"):
        if is_given(context, name):
            raise click.UsageError(f"--{name} needs --load; without it feeds.yaml sets the {name} of each show.")


def _explain(*, db: Path, feeds: Path, only: str | None, as_json: bool, **_: Any) -> None:
    from pipeline import config
    from pipeline.runs.second_opinions import gate_reports
    from pipeline.speech.explain import explained

    with up_to_date_reader(db) as archive:
        for episode, report in gate_reports(config.load(feeds), archive.conn, only):
            click.echo(f"{episode}: " + "\n".join(explained(report)), err=as_json)  # stdout is for the report then


def _check(*, db: Path, feeds: Path, only: str | None, as_json: bool, **_: Any) -> Exit:
    from pipeline import config
    from pipeline.data_folder import MODELS
    from pipeline.runs.run import engines
    from pipeline.runs.second_opinions import second_opinions

    failed = 0
    with up_to_date_reader(db) as archive:
        make = engines(db.parent / MODELS)
        for episode, found in second_opinions(config.load(feeds), archive.conn, db.parent, make, only):
            if isinstance(found, ArchiveError):
                failed += 1
                click.echo(f"{episode}: {found}", err=True)
            elif as_json:
                click.echo(json.dumps({"episode": episode, **found}, ensure_ascii=False))
            else:
                click.echo(f"{episode}: {found['disagreement']:.1%} of the words differ ({found['engine']})")
                for window in found["windows"]:
                    if window["disagreement"]:
                        click.echo(f"  {clock(window['start'])}-{clock(window['end'])}: {window['disagreement']:.1%}")
                        click.echo(f"    here:  {window['ours']}\n    there: {window['theirs']}")
    return Exit.after(failed)


def _user_cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "interview-archive"
