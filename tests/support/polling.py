"""Polling shows in tests, and feeds with additional tags in their heads."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlite_utils import Database

from pipeline.config import Config
from pipeline.runs.ingest import ingest
from pipeline.runs.report import Report
from pipeline.stages import Tools
from tests.conftest import NOW
from tests.stages.test_poll_and_download import rows
from tests.support.misbehaving import Answer

NEXT_MONTH = "2026-07-02T06:00:00Z"
Run = Callable[..., Report]


def polling(make_tools: Callable[..., Tools]) -> Run:
    """Return a function that polls shows."""

    def do(*feeds: Any, now: str = NOW, again: bool = False) -> Report:
        return ingest(Config(feeds=list(feeds)), make_tools(now=lambda: now, again=again), stages=("poll",))

    return do


def said(report: Report) -> str:
    (one,) = report.items
    return f"{one.status}: {one.reason}"


def linked(answer: Answer, *tags: str) -> Answer:
    """A feed with these tags in its head."""
    assert isinstance(answer.body, bytes)
    body = answer.body.replace(b"<title>A show</title>", "".join(["<title>A show</title>", *tags]).encode())
    names = b" xmlns:atom='http://www.w3.org/2005/Atom' xmlns:itunes='http://www.itunes.com/dtds/podcast-1.0.dtd'"
    names += b" xmlns:podcast='https://podcastindex.org/namespace/1.0'"
    return Answer(body.replace(b"<rss", b"<rss" + names, 1), headers=answer.headers)


def next_page(address: str) -> str:
    return f"<atom:link rel='next' href='{address}'/>"


def moves(db: Database) -> list[tuple[Any, ...]]:
    return rows(db, "select was, became, how, noticed_at from feed_moves order by id")
