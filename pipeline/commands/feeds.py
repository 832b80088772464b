"""The command ``feeds``."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from pipeline.archive.database import named_rows, up_to_date_reader
from pipeline.commands.options import FilePath, db_option, feeds_option, json_option, print_json
from pipeline.config import Config, Feed, load
from pipeline.errors import ConfigError
from pipeline.net.urls import shown, variables


@click.command("feeds")
@db_option
@feeds_option
@click.option("--opml", type=FilePath, metavar="FILE", help="Print entries for the shows of this OPML file.")
@click.option("--append", "is_appending", is_flag=True, help="With --opml: add them at the end of feeds.yaml.")
@click.option("--to-opml", is_flag=True, help="Print the shows as a list for other programs.")
@json_option
def feeds_command(db: Path, feeds: Path, opml: Path | None, is_appending: bool, to_opml: bool, as_json: bool) -> None:
    """List the shows of feeds.yaml and their feed addresses; or exchange them with podcast apps (OPML).

    --opml skips shows that feeds.yaml already has, and never changes existing entries.
    """
    if is_appending and opml is None:
        raise click.UsageError("--append can only be used with --opml; leave it out.")
    if (opml is not None) + to_opml + as_json > 1:
        raise click.UsageError("Give only one of --opml, --to-opml and --json.")
    if opml is not None:
        is_new = is_appending and not feeds.exists()
        _import(opml, [] if is_new else load(feeds).feeds, feeds if is_appending else None)
        return
    shows = load(feeds)
    known = _known(db)
    if to_opml:
        _export(shows, known)
        return
    rows = [_row(feed.slug, feed.title, shown(feed.url), known.get(feed.slug)) for feed in shows.feeds]
    if as_json:
        print_json(rows)
        return
    for row in rows:
        moved = f" -> {row['feed_url']}" if row["feed_url"] not in {None, row["url"]} else ""
        click.echo(f"{row['slug']}: {row['url']}{moved} ({row['last_status'] or 'not read yet'})")


def _row(slug: str, title: str, url: str, known: sqlite3.Row | None) -> dict[str, Any]:
    names = ("feed_url", "podcast_guid", "last_polled", "last_status", "retry_at")
    return {"slug": slug, "title": title, "url": url, **{name: known[name] if known else None for name in names}}


def _known(db: Path) -> dict[str, sqlite3.Row]:
    """The feeds' rows in the archive, by slug; empty if there is no archive yet."""
    if not db.exists():
        return {}
    with up_to_date_reader(db) as archive:
        return {row["slug"]: row for row in named_rows(archive.conn).execute("select * from feeds")}


def _import(opml: Path, feeds: Sequence[Feed], target: Path | None) -> None:
    from pipeline.feeds.adding import append, as_yaml, entries
    from pipeline.feeds.opml import read_opml

    try:
        found, unusable = read_opml(opml.read_bytes())
    except OSError as error:
        raise ConfigError(f"{opml}: cannot be read ({error.strerror or error})") from error
    except ConfigError as error:
        raise ConfigError(f"{opml}: {error}") from error
    made = entries(found, feeds)
    known = {feed.url for feed in feeds}
    asking = [show.title for show in found if variables(show.url) and show.url not in known]
    if target is not None and made:
        append(target, made)
    click.echo(as_yaml(made), nl=False)
    where = f"added to {target}" if target else "to be added"
    click.echo(f"{len(made)} {where}, {len(found) - len(made) - len(asking)} already there", err=True)
    if unusable:
        click.echo(f"left out, because the address is not a web address: {', '.join(unusable)}", err=True)
    if asking:
        click.echo(
            f"left out, because the address uses your environment variables: {', '.join(asking)}. "
            "If that is intended, write it into feeds.yaml yourself.",
            err=True,
        )


def _export(shows: Config, known: dict[str, sqlite3.Row]) -> None:
    from pipeline.feeds.opml import Outline, write_opml
    from pipeline.net.urls import scheme

    listed = []
    for feed in shows.feeds:
        if variables(feed.url) or shown(feed.url) != feed.url:
            click.echo(f"left out, because its address is private: {feed.title}", err=True)
            continue
        row = known.get(feed.slug)
        url = row["feed_url"] if row and row["url"] == feed.url and row["feed_url"] else feed.url
        if scheme(url) in {"http", "https"}:
            listed.append(Outline(feed.title, url))
    click.echo(write_opml(listed, title="interview-archive").decode())
