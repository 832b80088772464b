"""``make demo``: archive the bundled sample show over loopback HTTP, and show the result."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from pipeline.archive.database import reader
from pipeline.archive.search import search
from pipeline.config import Config, Feed
from pipeline.errors import ArchiveError
from pipeline.exits import Exit
from pipeline.runs.run import run
from pipeline.runs.talk import Talk
from pipeline.sample import DATA, SLUG
from pipeline.sample.server import serving
from pipeline.text import shortened
from pipeline.times import clock

EXAMPLE = '"early help"'


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--db", type=click.Path(path_type=Path), default=Path("db/demo.db"), show_default=True)
def demo(db: Path) -> None:
    """Archive the bundled sample show (invented, synthetic voices) and show where each question is asked."""
    try:
        with serving(DATA) as address:
            report = run(sample_config(address), db, Talk())
        if report.exit_code == Exit.OK:
            _show(db)
    except ArchiveError as error:
        click.echo(f"Error: {error}", err=True)
        sys.exit(error.exit_code)
    sys.exit(report.exit_code)


def sample_config(address: str) -> Config:
    """Return the configuration of the sample show, served at ``address``, as if from a feeds.yaml."""
    feed = Feed(
        slug=SLUG,
        title="The Inspection Interview (made-up sample show)",
        url=f"{address}feed.xml",
        language="en-GB",
        hosts=("Alice Waterman",),
        allow_private=True,  # it is served from loopback
    )
    return Config(feeds=[feed])


def _show(db: Path) -> None:
    with reader(db) as connection:
        for episode in connection.execute("select id, title from episodes order by published"):
            click.echo(f"\n{episode['title']}")
            for row in connection.execute("select * from question_times where episode = ?", [episode["id"]]):
                when = clock(row["start"]) if row["start"] is not None else "  — "
                text = shortened(row["text"], 80)
                click.echo(f"  {when:>5}  {row['status']:<9} {row['confidence']:.2f}  {row['number']}) {text}")
        results = search(connection, EXAMPLE)
    click.echo(f"\nAn example search: {EXAMPLE} has {results.total} hits, the first:")
    for hit in results.hits[:1]:
        click.echo(f"  {hit.title}, {hit.clock}, {hit.who or 'speaker unknown'}: {hit.text}")
    click.echo(f"\nOpen it:  make serve DB={db}   then visit http://127.0.0.1:8001/")


if __name__ == "__main__":
    demo()
