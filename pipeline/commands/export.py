"""The command ``export``."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

import click

from pipeline.addresses import addresses
from pipeline.archive.database import up_to_date_reader
from pipeline.commands.options import FilePath, db_option
from pipeline.errors import ArchiveError
from pipeline.exits import Exit
from pipeline.export import files as exports
from pipeline.text import amount


def _web_address(context: click.Context, option: click.Parameter, value: str) -> str:
    if value and not (value.startswith(("http://", "https://")) and urlsplit(value).netloc):
        raise click.BadParameter(f"{value!r} is not an address of the form https://HOST/…", ctx=context, param=option)
    return value


@click.command("export")
@click.argument("target", required=False, metavar="[EPISODE|FEED]")
@db_option
@click.option("--all", "everything", is_flag=True, help="Every episode of every feed.")
@click.option(
    "--format",
    "forms",
    multiple=True,
    type=click.Choice(exports.CHOICES),
    help="What to make; may be given several times. xml is the whole feed, mp3 a copy of the audio with chapters.",
)
@click.option("--out", type=FilePath, help="The folder for the files: FEED/ID.FORMAT, and FEED.xml.")
@click.option(
    "--base-url", default="", callback=_web_address, help="The address of the site, to which links lead; xml needs it."
)
@click.option("--bag", type=FilePath, help="Export the whole archive instead, as a BagIt bag in this new folder.")
def export_command(
    target: str | None,
    db: Path,
    everything: bool,
    forms: tuple[str, ...],
    out: Path | None,
    base_url: str,
    bag: Path | None,
) -> None:
    """Write captions, transcripts, chapters, show notes and feeds, for an episode, a feed, or --all.

    EPISODE is an id, a unique part of a title, or a link. FEED is the slug of a feed, and takes precedence.

    A single text is written to stdout unless --out is given; several, and mp3, need --out.

    --bag writes the whole archive – the database, recordings, feeds as received, transcripts – into a folder with
    manifests that prove it complete (BagIt 1.0). `restore` makes an archive of it again.
    """
    if bag is not None:
        sys.exit(_bag(db, bag, besides=target or everything or forms or out or base_url))
    if not forms:
        raise click.UsageError("Missing option '--format': say what to make. Or give --bag.")
    if everything == (target is not None):
        raise click.UsageError("Name one episode or feed, or use --all.")
    if exports.FEED_FORMAT in forms and not base_url:
        raise click.UsageError("--format xml needs --base-url: a feed's links have to be whole addresses.")
    site = addresses(base_url)
    _warn_of_links(forms, base_url)
    failed = 0
    with up_to_date_reader(db) as archive:
        jobs = exports.jobs(archive.conn, target, dict.fromkeys(forms))
        if out is None:
            if len(jobs) != 1 or not jobs[0].is_text:
                raise click.UsageError("Name a folder with --out: only a single text can be printed.")
            exports.write(archive.conn, jobs[0], sys.stdout.buffer, addresses=site, data=db.parent)
            return
        for job in jobs:
            try:
                click.echo(exports.save(archive.conn, job, out, addresses=site, data=db.parent))
            except ArchiveError as error:
                if len(jobs) == 1:
                    raise
                failed += 1
                click.echo(f"{job.form}: {error}", err=True)
    sys.exit(Exit.after(failed))


def _warn_of_links(forms: Sequence[str], base_url: str) -> None:
    """Say that links in notes lead nowhere once the notes are pasted elsewhere."""
    if not base_url and any(form.startswith("notes.") for form in forms):
        click.echo("The links in the notes begin with /-/: give the site's address with --base-url.", err=True)


def _bag(db: Path, folder: Path, *, besides: object) -> Exit:
    if besides:
        raise click.UsageError("--bag exports the whole archive: leave the rest out.")
    from pipeline.copies.bag import bag
    from pipeline.runs.run import terminable
    from pipeline.runs.talk import Talk
    from pipeline.speech.cores import usable_cores
    from pipeline.times import utc_now

    with terminable(), Talk().bar("export") as progress:  # SIGTERM would leave half a bag behind
        made = bag(db, folder, now=utc_now(), workers=usable_cores(), progress=progress)
    click.echo(f"{made.folder}: {amount(made.files, 'file')}, {made.bytes / 1e6:.1f} MB")
    for problem in made.problems:
        click.echo(problem, err=True)
    return Exit.after(made.problems)
