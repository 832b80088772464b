"""The command ``align``."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import click

from pipeline.archive.database import up_to_date_reader
from pipeline.archive.reading import episode_named
from pipeline.commands.options import FilePath, print_json
from pipeline.commands.stages import StageOptions, print_lines, run_stages, stage_options, takes_only
from pipeline.exits import Exit


@click.command("align")
@stage_options
@click.option("--all", "everything", is_flag=True, help="Align everything again, from the stored transcripts.")
@click.option("--explain", is_flag=True, help="Only explain why each question of EPISODE is found where it is.")
@click.option("--load", "files", type=FilePath, multiple=True, help="Align FILE alone, without a database.")
@click.option(
    "--questions",
    "listed",
    type=FilePath,
    help="With --load: the list of questions, one a line, or CSV with a column text (and number).",
)
@click.argument("names", nargs=-1, metavar="[EPISODE|FILE]...")
def align_command(
    options: StageOptions,
    /,
    everything: bool,
    explain: bool,
    files: tuple[Path, ...],
    listed: Path | None,
    names: tuple[str, ...],
) -> None:
    """Find when each published question is asked; or, with --load FILE..., in transcript files alone.

    If no list of questions was published, the questions that the host asks are detected. An EPISODE is an id, a unique
    part of a title, or a link; without one, all episodes not aligned yet are aligned, also those of shows that
    feeds.yaml does not name.

    With --load each FILE is a transcript: WebVTT, SRT, JSON of openai-whisper, faster-whisper, WhisperX, whisper.cpp or
    `transcribe --load`, Podcasting 2.0 JSON, or the following, with times in seconds. Nothing is stored, and a line of
    JSON is printed for each:

    \b
      {"questions": [{"number": 1, "text": "How …?"}],
       "segments": [{"start": 0.0, "end": 3.1, "text": "…", "speaker": "…"}]}
    """  # noqa: D301 - click takes it as “do not rewrap this”
    if files:
        takes_only("--load", "--db", "--questions", "--explain")
        from pipeline.runs.alone import align_files
        from pipeline.runs.loading import read_questions

        questions = read_questions(listed) if listed else None
        failed = print_lines(align_files([*files, *map(Path, names)], questions=questions, explain=explain))
        sys.exit(Exit.after(failed))
    if listed:
        raise click.UsageError("--questions needs --load before the files.")
    if explain:
        takes_only("--explain", "--db", "--json")
        _explain_alignments(names, options.db, as_json=options.as_json)
        return
    only = options.selection.only
    if len(names) > 1 or (names and (everything or only)) or (everything and only):
        raise click.UsageError("Name one EPISODE, choose with --only, or use --all. Files need --load before them.")
    if names:
        with up_to_date_reader(options.db) as archive:
            only = episode_named(archive.conn, names[0])
    selection = replace(options.selection, only=only)
    sys.exit(run_stages(("align",), replace(options, selection=selection, again=options.again or everything)))


def _explain_alignments(names: Sequence[str], db: Path, *, as_json: bool) -> None:
    if not names:
        raise click.UsageError("Name an EPISODE to explain: its id, a part of its title, or its link.")
    from pipeline.align.explain import table
    from pipeline.stages.align import explain_episode
    from pipeline.stages.vector_cache import vectors

    with up_to_date_reader(db) as archive:
        found = {
            episode: explain_episode(archive, episode, vectors(db.parent))
            for episode in (episode_named(archive.conn, name) for name in names)
        }
    if as_json:
        print_json(found)
        return
    for episode, explained in found.items():
        click.echo(f"{episode}\n")
        for line in table(explained):
            click.echo(line)
