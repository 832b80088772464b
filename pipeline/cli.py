"""The command line: a thin layer that parses, calls and prints. Data goes to stdout, talk to stderr.

Exit codes: 0 all done · 1 an error that stopped the run · 2 wrong usage or configuration · 3 finished, but something
failed (the report names it) · 130 interrupted.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipeline import __version__
from pipeline.adopt_command import adopt_command
from pipeline.archive.copies import is_published
from pipeline.archive.database import bring_up_to_date, reader
from pipeline.archive.reading import episode_named
from pipeline.archive.status import status
from pipeline.check_command import check_command
from pipeline.correct_command import correct_command
from pipeline.errors import ArchiveError
from pipeline.export_command import export_command
from pipeline.feeds_command import feeds_command
from pipeline.ingest_command import download_command, ingest_command, poll_command, run_stages, stage_options
from pipeline.model import clock
from pipeline.options import FilePath, db_option, json_option, print_json
from pipeline.publish_command import publish_command
from pipeline.renditions_command import renditions_command
from pipeline.restore_command import restore_command
from pipeline.search_command import search_command
from pipeline.speaker_command import speaker_command
from pipeline.verify_command import verify_command

if TYPE_CHECKING:
    from pipeline.speech.names import EngineName


class _Group(click.Group):
    """Shows our own errors as one sentence with the right exit code, and Ctrl-C as 130."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except ArchiveError as error:
            click.echo(f"Error: {error}", err=True)
            ctx.exit(error.exit_code)
        except KeyboardInterrupt:
            click.echo("Interrupted.", err=True)
            ctx.exit(130)


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="interview-archive")
def main() -> None:
    """Turn interview podcasts into an archive that can be searched, quoted and cited."""


main.add_command(adopt_command)
main.add_command(check_command)
main.add_command(correct_command)
main.add_command(export_command)
main.add_command(download_command)
main.add_command(feeds_command)
main.add_command(ingest_command)
main.add_command(poll_command)
main.add_command(publish_command)
main.add_command(renditions_command)
main.add_command(restore_command)
main.add_command(search_command)
main.add_command(speaker_command)
main.add_command(verify_command)


# What is done instead, or afterwards, without heeding these options.
_NOT_WITH_LOAD = frozenset(
    {"feeds", "only", "since", "limit", "dry_run", "again", "everything", "quiet", "as_json", "check"}
)
_NOT_WITH_CHECK = frozenset({"since", "limit", "dry_run", "again", "quiet", "explain"})
_NOT_WITH_TRANSCRIBE_EXPLAIN = frozenset({"since", "limit", "dry_run"})
_NOT_WITH_ALIGN_EXPLAIN = frozenset({"feeds", "only", "since", "limit", "dry_run", "again", "everything", "quiet"})


def _refuse(context: click.Context, names: frozenset[str], *, beside: str) -> None:
    """Refuse options that another one would silently pass over."""
    for option in context.command.params:
        if option.name in names and _is_given(context, option.name):
            raise click.UsageError(f"{option.opts[0]} means nothing with {beside}; leave it out.")


def _refuse_without_load(context: click.Context) -> None:
    """Refuse options that mean nothing without --load: feeds.yaml says these things for each show."""
    for name in ("model", "engine", "language"):
        if _is_given(context, name):
            raise click.UsageError(f"--{name} is for --load; without it feeds.yaml says the {name} of each show.")


def _explain(*, db: Path, feeds: Path, only: str | None, as_json: bool, **_: Any) -> None:
    from pipeline import config
    from pipeline.opinion import gate_reports
    from pipeline.speech.explain import explained

    with reader(db) as connection:
        for episode, report in gate_reports(config.load(feeds), connection, only):
            click.echo(f"{episode}: " + "\n".join(explained(report)), err=as_json)  # stdout is the report's then


def _check(*, db: Path, feeds: Path, only: str | None, as_json: bool, **_: Any) -> int:
    from pipeline import config
    from pipeline.opinion import second_opinions
    from pipeline.run import MODELS_FOLDER, engines

    failed = 0
    with reader(db) as connection:
        make = engines(db.parent / MODELS_FOLDER)
        for episode, found in second_opinions(config.load(feeds), connection, db.parent, make, only):
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
    return 3 if failed else 0


def _is_given(context: click.Context, name: str) -> bool:
    return context.get_parameter_source(name) is not click.core.ParameterSource.DEFAULT


def _user_cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "interview-archive"


@main.command("transcribe")
@stage_options
@click.option("--load", "files", type=FilePath, multiple=True, help="Transcribe AUDIO alone, without a database.")
@click.argument("more_files", nargs=-1, type=FilePath, metavar="[AUDIO]...")
@click.option("--model", default="tiny.en", show_default=True, help="With --load: a Whisper model or its path.")
@click.option(
    "--engine",
    type=click.Choice(["faster-whisper", "openai-whisper"]),
    default="faster-whisper",
    show_default=True,
    help="With --load: which Whisper.",
)
@click.option("--language", default="en", show_default=True, help="With --load: what is spoken.")
@click.option("--explain", is_flag=True, help="Say what was done about every window that could not be right.")
@click.option("--check", is_flag=True, help="Instead: let the other engine hear a sample, and say where they disagree.")
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

    With --load nothing is kept: one JSON object a file and line is printed. A model that has to be put together first
    lies in your cache folder, or beside the database where --db is given.
    """
    if not files and more_files:
        raise click.UsageError("Audio files need --load before them.")
    if not files:
        _refuse_without_load(context)
        if check:
            _refuse(context, _NOT_WITH_CHECK, beside="--check")
            sys.exit(_check(**options))
        if explain:
            _refuse(context, _NOT_WITH_TRANSCRIBE_EXPLAIN, beside="--explain")
        code = run_stages(("transcribe",), **options)
        if explain:
            _explain(**options)
        sys.exit(code)
    _refuse(context, _NOT_WITH_LOAD, beside="--load")
    from pipeline.alone import transcribe_files
    from pipeline.run import MODELS_FOLDER

    cache = options["db"].parent / MODELS_FOLDER if _is_given(context, "db") else _user_cache()
    failed = _print_lines(
        transcribe_files(
            [*files, *more_files],
            model=model,
            engine=engine,
            language=language,
            cache=cache,
            explain=(lambda line: click.echo(line, err=True)) if explain else None,
        )
    )
    sys.exit(3 if failed else 0)


@main.command("align")
@stage_options
@click.option("--all", "everything", is_flag=True, help="Align everything anew, from the stored transcripts.")
@click.option("--explain", is_flag=True, help="Instead: say why each question of EPISODE is found where it is.")
@click.option("--load", "files", type=FilePath, multiple=True, help="Align FILE alone, without a database.")
@click.argument("names", nargs=-1, metavar="[EPISODE|FILE]...")
@click.pass_context
def align_command(
    context: click.Context,
    /,
    everything: bool,
    explain: bool,
    files: tuple[Path, ...],
    names: tuple[str, ...],
    **options: Any,
) -> None:
    """Find when each published question is asked; or, with --load FILE..., in transcript files alone.

    Where no list of questions was published, those that the host is heard to ask are taken. An EPISODE is an id, a
    part of a title that no other has, or a link; without any, all are aligned that are not yet, also those of shows
    that feeds.yaml does not name.

    With --load each FILE is JSON with "questions" and "segments"; nothing is kept, and one JSON object a file and
    line is printed.
    """
    if files:
        _refuse(context, _NOT_WITH_LOAD, beside="--load")
        from pipeline.alone import align_files

        failed = _print_lines(align_files([*files, *map(Path, names)], explain=explain))
        sys.exit(3 if failed else 0)
    if explain:
        _refuse(context, _NOT_WITH_ALIGN_EXPLAIN, beside="--explain")
        _explain_alignments(names, options["db"], as_json=options["as_json"])
        return
    if len(names) > 1 or (names and (everything or options["only"])) or (everything and options["only"]):
        raise click.UsageError("Name one EPISODE, or choose with --only, or say --all. Files need --load before them.")
    options["again"] |= everything
    if names:
        with reader(options["db"]) as connection:
            options["only"] = episode_named(connection, names[0])
    sys.exit(run_stages(("align",), **options))


def _explain_alignments(names: Sequence[str], db: Path, *, as_json: bool) -> None:
    if not names:
        raise click.UsageError("Name an EPISODE to explain: its id, a part of its title, or its link.")
    from sqlite_utils import Database

    from pipeline.align.explain import table
    from pipeline.stages.align import explain_episode
    from pipeline.vectors import vectors

    bring_up_to_date(db)
    with reader(db) as connection:
        found = {
            episode: explain_episode(Database(connection), episode, vectors(db.parent))
            for episode in (episode_named(connection, name) for name in names)
        }
    if as_json:
        print_json(found)
        return
    for episode, explained in found.items():
        click.echo(f"{episode}\n")
        for line in table(explained):
            click.echo(line)


def _print_lines(results: Any) -> int:
    """Print each result as one line of JSON, each failure to stderr; return how many failed."""
    failed = 0
    for path, result in results:
        if isinstance(result, ArchiveError):
            failed += 1
            click.echo(f"{path}: {result}", err=True)
        else:
            click.echo(json.dumps(result, ensure_ascii=False))
    return failed


@main.command("status")
@db_option
@json_option
def status_command(db: Path, as_json: bool) -> None:
    """Say what the archive holds, what is left to do, and how the last run went."""
    bring_up_to_date(db)
    with reader(db) as connection:
        found = status(connection)
    if as_json:
        print_json(found)
        return
    if not found["feeds"]:
        click.echo("no show archived yet")
    for feed in found["feeds"]:
        gone, listed = feed["no_longer_listed"], feed["episodes"] - feed["no_longer_listed"]
        left = f", {gone} no longer in the feed" if gone else ""
        click.echo(
            f"{feed['slug']}: {listed} listed{left}, {feed['kept']} kept ({feed['hours']} h), "
            f"{feed['transcribed']} transcribed, {feed['aligned']} aligned; "
            f"last polled {feed['last_polled'] or 'never'}: {feed['last_status'] or '-'}"
        )
    waiting = [f"{count} to {stage}" for stage, count in found["waiting"].items() if count]
    if waiting:
        click.echo(f"waiting: {', '.join(waiting)}")
    last = found["last_run"]
    if last:
        # The same is in the ledger for a run that is still going on.
        end = f"exit code {last['exit_code']}" if last["finished"] else "did not finish, or has not yet"
        click.echo(f"last run: {last['command']}, {last['started']}, {end}")
        for item in last["failed"]:
            click.echo(f"  failed: {item['episode'] or item['feed']} {item['stage']}: {item['reason']}")


@main.command("serve")
@db_option
@click.option("--root", is_flag=True, help="Print an address that signs you in as an editor, in one browser.")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), default=8001, show_default=True, help="The port to listen on.")
def serve_command(db: Path, root: bool, host: str, port: int) -> None:
    """Open the archive as a site: search, episodes with player, and Datasette's tables, SQL and JSON."""
    bring_up_to_date(db)
    from datasette.cli import cli as datasette

    options = ["--host", host, "--port", str(port), *(["--root"] if root else [])]
    # A published copy is told by its folder to be one, and what its owner wrote into that counts.
    served = db.resolve().parent if is_published(db) else db
    datasette.main(["serve", str(served), *options], prog_name="interview-archive")
