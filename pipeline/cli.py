"""The command line: a thin layer that parses, calls and prints. Data goes to stdout, talk to stderr."""

from __future__ import annotations

from typing import Any

import click

from pipeline import __version__
from pipeline.commands.adopt import adopt_command
from pipeline.commands.align import align_command
from pipeline.commands.check import check_command
from pipeline.commands.correct import correct_command
from pipeline.commands.export import export_command
from pipeline.commands.feeds import feeds_command
from pipeline.commands.ingest import download_command, ingest_command, poll_command
from pipeline.commands.publish import publish_command
from pipeline.commands.renditions import renditions_command
from pipeline.commands.restore import restore_command
from pipeline.commands.search import search_command
from pipeline.commands.serve import serve_command
from pipeline.commands.speaker import speaker_command
from pipeline.commands.status import status_command
from pipeline.commands.transcribe import transcribe_command
from pipeline.commands.verify import verify_command
from pipeline.errors import ArchiveError
from pipeline.exits import Exit


class _Group(click.Group):
    """Shows our own errors as one sentence with the right exit code, Ctrl-C included."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except ArchiveError as error:
            click.echo(f"Error: {error}", err=True)
            ctx.exit(error.exit_code)
        except KeyboardInterrupt:
            click.echo("Interrupted.", err=True)
            ctx.exit(Exit.INTERRUPTED)


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="interview-archive")
def main() -> None:
    """Turn interview podcasts into an archive that can be searched, quoted and cited."""


for command in (
    adopt_command,
    align_command,
    check_command,
    correct_command,
    download_command,
    export_command,
    feeds_command,
    ingest_command,
    poll_command,
    publish_command,
    renditions_command,
    restore_command,
    search_command,
    serve_command,
    speaker_command,
    status_command,
    transcribe_command,
    verify_command,
):
    main.add_command(command)
