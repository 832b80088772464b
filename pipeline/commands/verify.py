"""The command ``verify``."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipeline.commands.options import db_option, feeds_option, json_option, print_json
from pipeline.exits import Exit
from pipeline.text import amount

if TYPE_CHECKING:
    from pipeline.config import Config, Feed
    from pipeline.proof.problems import Problem
    from pipeline.proof.repair import Mended
    from pipeline.proof.verify import Verified


@click.command("verify")
@db_option
@click.option("--quick", is_flag=True, help="Do not decode the recordings: every file is still read and hashed.")
@click.option("--repair", is_flag=True, help="Repair what can be repaired, and report what cannot.")
@feeds_option
@click.option("--quiet", is_flag=True, help="Print only the problems.")
@json_option
def verify_command(db: Path, quick: bool, repair: bool, feeds: Path, quiet: bool, as_json: bool) -> None:
    """Verify the archive: hash and decode every file, check the database and its search indexes, report every problem.

    It changes nothing, and works during a run and on published copies. Exit code 3: there are problems. Files that no
    table refers to are problems, too. The database is copied to the folder for temporary files (TMPDIR) for this.

    With --repair a missing or damaged recording is fetched again, and restored only if it is the very same file; a
    transcript's file is rewritten from the database; a damaged search index is rebuilt. Nothing is deleted. It does not
    wait for a run: while one is writing, it fails with a message.
    """
    from pipeline import config
    from pipeline.proof.repair import repair as mend
    from pipeline.proof.verify import verify
    from pipeline.runs.run import clients, terminable
    from pipeline.runs.talk import Talk
    from pipeline.speech.cores import usable_cores
    from pipeline.times import utc_now

    shows = config.load(feeds) if repair else None  # report errors in feeds.yaml before the long work
    # SIGTERM would leave the copy of the database behind.
    with terminable(), Talk(quiet=quiet or as_json).bar("verify") as progress:
        found = verify(db, decode=not quick, workers=usable_cores(), progress=progress)
    mended = []
    if shows and found.problems:
        with terminable(), clients() as client:
            mended = list(mend(db, found.problems, feed=_by_slug(shows), client=client, now=utc_now()))
    left = [one.problem for one in mended if not one.done] if mended else found.problems
    if as_json:
        print_json(_as_dict(found, mended, exit_code=Exit.after(left)))
    else:
        _print(found, mended, left, quiet=quiet)
    sys.exit(Exit.after(left))


def _by_slug(shows: Config) -> Callable[[str], Feed]:
    from pipeline.config import Feed

    feeds = {feed.slug: feed for feed in shows.feeds}
    # A show that is no longer in feeds.yaml has no settings.
    return lambda slug: feeds.get(slug) or Feed(slug=slug, title=slug, url="feed.xml")


def _print(found: Verified, mended: Sequence[Mended], left: Sequence[Problem], *, quiet: bool) -> None:
    outcomes = {one.problem: f" – {'repaired' if one.done else 'not repaired'}: {one.how}" for one in mended}
    for problem in found.problems:
        click.echo(f"{problem.kind} {problem.what}: {problem.reason}{outcomes.get(problem, '')}")
    if quiet:
        return
    looked_at = [
        f"{amount(found.recordings, 'recording')} ({found.audio_bytes / 1e6:.1f} MB)",
        f"{amount(found.feeds, 'kept feed')}",
        f"{amount(found.transcripts, 'transcript file')} and the database",
    ]
    outcome = amount(len(found.problems), "problem") if found.problems else "all as recorded"
    mend = f", {len(found.problems) - len(left)} repaired" if mended else ""
    click.echo(f"{', '.join(looked_at)}: {outcome}{mend}", err=True)


def _as_dict(found: Verified, mended: Sequence[Mended], *, exit_code: int) -> dict[str, object]:
    outcomes = {one.problem: {"mended": one.done, "how": one.how} for one in mended}
    problems = [
        {"kind": one.kind, "what": one.what, "reason": one.reason, **outcomes.get(one, {})} for one in found.problems
    ]
    return {**asdict(found), "problems": problems, "exit_code": exit_code}
