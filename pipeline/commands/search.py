"""The command ``search``."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, get_args

import click

from pipeline.addresses import Addresses
from pipeline.archive.database import up_to_date_reader
from pipeline.archive.search import ORDERS, PAGE_SIZE, Filters, Order, Results, search
from pipeline.archive.search.instead import Instead, instead
from pipeline.archive.search.paging import Position
from pipeline.archive.search.query import Query, compile_query
from pipeline.archive.search.unknown import unknown_show
from pipeline.commands.options import day, db_option, json_option, print_json
from pipeline.errors import QueryError
from pipeline.export import found
from pipeline.model import Role
from pipeline.text import questions_named


def _text(context: click.Context, option: click.Parameter, value: str | None) -> str | None:
    """Accept only valid UTF-8: a shell passes on any bytes."""
    try:
        (value or "").encode()
    except UnicodeEncodeError:
        raise click.BadParameter(f"{value!a} is not text in UTF-8.", ctx=context, param=option) from None
    return value


def _page(context: click.Context, option: click.Parameter, value: str | None) -> str | None:
    """Accept only a valid page: an invalid one would silently be taken as the first."""
    if value is not None and not Position.is_named(value):
        raise click.BadParameter(f"{value!r} is not a page: give a number, or the value of “next”.", context, option)
    return value


@click.command("search")
@click.argument("query", callback=_text)
@db_option
@click.option("--feed", callback=_text, help="Only this feed (slug).")
@click.option("--speaker", callback=_text, help="Only this speaker: a name, or a part of one.")
@click.option("--role", type=click.Choice(get_args(Role)), help="Only questions, or only answers.")
@click.option("--from", "since", callback=day, metavar="DATE", help="Published on or after this day (YYYY-MM-DD).")
@click.option("--to", "until", callback=day, metavar="DATE", help="Published on or before this day.")
@click.option("--question", type=click.IntRange(1), help="Only passages that ask or answer this published question.")
@click.option(
    "--order",
    type=click.Choice(ORDERS),
    default="relevance",
    show_default=True,
    help="The order of the hits; quotations come newest first.",
)
@click.option("--page", callback=_page, help=f"A page number, or the value of “next”; {PAGE_SIZE} hits a page.")
@json_option
def search_command(query: str, db: Path, page: str | None, order: Order, as_json: bool, **filters: Any) -> None:
    """Search the transcripts.

    Words, "an exact phrase", begin*, -without or NOT without, this OR that, one AND (two OR three), one NEAR/5 two (at
    most five words between; NEAR alone: ten), speaker:NAME, feed:SLUG, question:3. Without hits, similar passages and
    other queries are suggested.
    """
    asked, narrowed, addresses = compile_query(query), Filters(**filters), Addresses()
    if narrowed.since and narrowed.until and narrowed.since > narrowed.until:
        raise click.UsageError(f"--from {narrowed.since} is after --to {narrowed.until}: exchange the two.")
    with up_to_date_reader(db) as archive:
        problem = unknown_show(archive.conn, asked, narrowed)
        if problem:
            raise QueryError(problem.sentence)
        results = search(archive.conn, asked, narrowed, order=order, page=page)
        offered = Instead() if results.hits or page else instead(archive.conn, asked, narrowed)
    if as_json:
        remarks = [*asked.remarks, *offered.remarks]
        content = found.results(results, addresses) | found.suggestions(offered, addresses)
        print_json({**content, "remarks": remarks})
        for remark in remarks:
            click.echo(remark, err=True)
        return
    for hit in results.hits:
        where = f"{hit.title} ({(hit.published or '')[:10]}), {hit.clock}"
        who = ", ".join(filter(None, [hit.who, questions_named(hit.questions), hit.role, hit.standing]))
        click.echo(f"{where} [{who}]\n  {hit.text}\n  {addresses.episode(hit.episode, hit.start)}")
    for passage in offered.nearly:
        hit = passage.hit
        where = f"{hit.title} ({(hit.published or '')[:10]}), {hit.clock}"
        click.echo(f"nearly: {where}\n  {passage.shown}\n  {addresses.episode(hit.episode, hit.start)}")
    _tell_more(asked, results, offered, Position.parse(page).page)


def _tell_more(query: Query, results: Results, offered: Instead, page: int) -> None:
    """Print how many hits there are, how to see more, and what else to try."""
    number = f"{results.total}{'' if results.exact else ' or more'} {'hit' if results.total == 1 else 'hits'}"
    if results.order != "relevance" and not results.exact:
        number += f", the {results.order} first"
    more = f"; more with --page {results.next}" if results.next else ""
    if not results.hits and not (query.match or offered.remarks):
        more = "; give something to search for"
    elif not results.hits and results.total:
        more = f"; there is no page {page}, the last one is {math.ceil(results.total / PAGE_SIZE)}"
    click.echo(f"{number}{more}", err=True)
    for remark in (*query.remarks, *offered.remarks):
        click.echo(remark, err=True)
    for said, other in (("did you mean", offered.spelling), ("or, less strictly", offered.looser)):
        if other:
            click.echo(f"{said}: {other}", err=True)
