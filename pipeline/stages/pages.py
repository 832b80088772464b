"""Look for question lists on the web pages of episodes whose notes have none (``questions_from: page``).

Three steps: ``due_pages`` reads the database for the pages that are due, ``visit`` only uses the network, and ``store``
writes the result. A page that could not be fetched is reported and tried again a week later; a page that was read is
not fetched again until the episode's link changes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import httpx

from pipeline.archive.database import immediate
from pipeline.archive.pages import PageVisit, links, other_episode_of, save_visit, visits
from pipeline.archive.questions.lists import save_questions
from pipeline.config import Feed
from pipeline.errors import FeedError, FeedGoneError, NotAFeedError
from pipeline.feeds.fetch import NOT_THERE, FeedBody, fetch
from pipeline.feeds.page import page_address, read_page
from pipeline.feeds.parse import PARSER_VERSION
from pipeline.feeds.questions import find_questions
from pipeline.model import Question, Validators
from pipeline.net.urls import host
from pipeline.stages import Outcome, Tools, Visit, is_time_again

MAX_PAGE_BYTES = 5_000_000
MAX_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class DuePage:
    """A page to fetch: its episode, its address, and the last visit to that address, if any."""

    episode: str
    link: str
    last: PageVisit | None

    @property
    def validators(self) -> Validators:
        """What makes the request conditional: nothing where the page is to be read in a new way."""
        last = self.last
        current = last is not None and last.parser_version == PARSER_VERSION
        return Validators(last.etag, last.last_modified) if last and current else Validators()


@dataclass(frozen=True, slots=True)
class VisitedPage:
    """The result of a visit: a page that was read, or a ``problem``, or neither if the page is unchanged."""

    due: DuePage
    address: str | None = None
    etag: str | None = None
    last_modified: str | None = None
    questions: tuple[Question, ...] = ()
    problem: str | None = None


def due_pages(tools: Tools, feed: Feed) -> dict[str, DuePage]:
    """Return the pages to fetch, by episode. An address shared by several episodes is not used."""
    if feed.questions_from != "page":
        return {}
    known = visits(tools.db, feed.slug)
    found = [(episode, page_address(link), has_list) for episode, link, has_list in links(tools.db, feed.slug)]
    common = Counter(address for _, address, _ in found)
    pages: dict[str, DuePage] = {}
    for episode, address, has_list in found:
        last = known.get(episode)
        last = last if last and last.link == address else None
        if address and not has_list and common[address] == 1 and is_due(last, now=tools.now(), again=tools.again):
            pages[episode] = DuePage(episode, address, last)
    return pages


def is_due(last: PageVisit | None, *, now: str, again: bool) -> bool:
    """Tell whether to fetch a page: it never was fetched, or failed a week ago or more.

    A page without a list is also fetched again after the parser has changed.
    """
    if last is None or again:
        return True
    if last.problem is not None:
        return is_time_again(last.visited_at, now)
    return last.questions == 0 and last.parser_version != PARSER_VERSION


def read_page_of(tools: Tools, feed: Feed, due: DuePage) -> Visit:
    """Ask for an episode's page, and store the question list that is on it."""

    def go(_leave: Callable[[], None]) -> Callable[[], Outcome]:
        return partial(store, tools, visit(due, tools.client(feed)))

    return Visit(host(due.link), go)


def visit(due: DuePage, client: httpx.Client) -> VisitedPage:
    """Get and read a page; what goes wrong is its ``problem``."""
    try:
        body = fetch(due.link, client, due.validators, max_bytes=MAX_PAGE_BYTES, max_seconds=MAX_SECONDS)
    except FeedGoneError:
        return VisitedPage(due, problem=NOT_THERE)
    except NotAFeedError:
        return VisitedPage(due, problem=f"it is larger than {MAX_PAGE_BYTES // 1_000_000} MB")
    except FeedError as error:
        return VisitedPage(due, problem=str(error))
    return _read(due, body) if isinstance(body, FeedBody) else VisitedPage(due)


def _read(due: DuePage, body: FeedBody) -> VisitedPage:
    kind = body.content_type.split(";")[0].strip().lower()
    if kind and "html" not in kind:
        return VisitedPage(due, problem=f"it is not a web page ({kind})")
    page = read_page(body.content, content_type=body.content_type, address=body.base)
    address = page_address(page.address)
    if address is None or page_address(body.base) is None:
        return VisitedPage(due, problem="its link leads to the front page of a site")
    return VisitedPage(due, address, body.validators.etag, body.validators.last_modified, find_questions(page.text))


def store(tools: Tools, visited: VisitedPage) -> Outcome:
    """Store what a page gave."""
    other = other_episode_of(tools.db, visited.address, visited.due.episode) if visited.address else None
    if other:
        visited = VisitedPage(visited.due, problem=f"it is also the page of {other}")
    seen = _seen(visited, tools.now())
    with immediate(tools.db):
        save_visit(tools.db, seen)
        if visited.questions:
            save_questions(tools.db, seen.episode, visited.questions, source="page")
    if seen.problem:
        return Outcome("skipped", f"the episode’s page was not read: {seen.problem}")
    if visited.address is None:
        return Outcome("ok", "the episode’s page is unchanged since the last time")
    return Outcome("ok", f"{seen.questions or 'no'} questions listed on the episode’s page")


def _seen(visited: VisitedPage, now: str) -> PageVisit:
    due = visited.due
    if due.last and visited.address is None and visited.problem is None:
        return replace(due.last, visited_at=now)
    return PageVisit(
        episode=due.episode,
        link=due.link,
        address=visited.address,
        visited_at=now,
        etag=visited.etag,
        last_modified=visited.last_modified,
        questions=len(visited.questions),
        problem=visited.problem,
        parser_version=PARSER_VERSION,
    )
