"""Running the stages in order. Knows no details of any stage."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Literal, NamedTuple, TypeVar

from sqlite_utils import Database

from pipeline import __version__
from pipeline.archive.episodes import all_ids, episodes, has_episode, ids_of
from pipeline.archive.feeds import known_feeds
from pipeline.archive.runs import add_item, finish_run, note_wanted, start_run
from pipeline.audio.keep import clear_unfinished
from pipeline.config import Config, Feed
from pipeline.errors import ArchiveError, ConfigError, DiskFullError, is_full
from pipeline.model import STAGES, Episode, RunItem, StageName
from pipeline.net.urls import shown
from pipeline.runs.report import Report
from pipeline.runs.selection import EVERYTHING, Selection, selected
from pipeline.speech.cores import usable_cores
from pipeline.stages import Outcome, Tools, Visit, wanted_episodes
from pipeline.stages.align import align_episode, align_together
from pipeline.stages.download import download
from pipeline.stages.groups import group_questions
from pipeline.stages.pages import due_pages, read_page_of
from pipeline.stages.poll import poll
from pipeline.stages.together import AT_ONE_HOST, together
from pipeline.stages.transcribe import forget_unfinished, transcribe

Work = Callable[[], Outcome | Visit]
Status = Literal["ok", "skipped", "failed"]
V = TypeVar("V", bound=Visit)
_EPISODE_STAGES: dict[str, Callable[[Tools, Feed, Episode], Outcome | Visit]] = {
    "download": download,
    "transcribe": transcribe,
    "align": align_episode,
}

log = logging.getLogger(__name__)


class _Task(NamedTuple):
    """One stage of one episode, or of a whole feed."""

    stage: str
    feed: Feed
    episode: Episode | None = None

    @property
    def subject(self) -> str:
        return self.episode.id if self.episode else self.feed.slug

    def ended(self, status: Status, reason: str, seconds: float = 0.0, *, routine: bool = False) -> _Done:
        episode = self.episode.id if self.episode else None
        return _Done(RunItem(self.stage, self.feed.slug, episode, status, shown(reason), seconds), routine)


class _Done(NamedTuple):
    """What became of a task; what is ``routine`` is recorded, but not worth a line."""

    item: RunItem
    routine: bool


def ingest(
    config: Config,
    tools: Tools,
    *,
    stages: Sequence[StageName] = STAGES,
    selection: Selection = EVERYTHING,
    say: Callable[[RunItem], None] = lambda _item: None,
) -> Report:
    """Run stages over all enabled feeds; a failure of one never stops the others.

    Every feed is polled first, then everything is downloaded (feeds shrink and die), then each episode is
    transcribed and aligned, newest first, so that finished ones can be used while the rest is being worked on.

    Args:
        config: the feeds.
        tools: the database, network, engines and clock.
        stages: which stages; always run in their own order.
        selection: which feeds and episodes to process.
        say: called with each item that is worth a line.

    Returns:
        The report; it is also in the database. After Ctrl-C or SIGTERM it says ``interrupted``, and what was finished
        is kept.

    Raises:
        ConfigError: ``selection.only`` names no known feed or episode.
    """
    whole = with_kept(config, tools.db, stages)
    check_only(whole, tools.db, selection.only)
    report = Report(
        start_run(tools.db, command=" ".join(stages), version=__version__, now=tools.now()),
        [stage for stage in STAGES if stage in stages],
    )
    try:
        for done in _work(whole, tools, report.stages, selection):
            report.items.append(done.item)
            add_item(tools.db, report.run, done.item)
            if not done.routine:
                say(done.item)
        if "align" in report.stages:
            group_questions(tools)
        note_wanted(
            tools.db,
            {feed.slug: feed.limit if feed.enabled else 0 for feed in config.feeds},
            skipped={id_ for feed in config.feeds if feed.skip for id_ in ids_of(tools.db, feed.slug, feed.skip)},
        )
    except KeyboardInterrupt:
        report.interrupted = True
    except BaseException as error:
        report.stopped = shown(str(error)) or type(error).__name__
        raise
    finally:
        finish_run(tools.db, report.run, exit_code=report.exit_code, report=report.as_dict(), now=tools.now())
    return report


def with_kept(config: Config, db: Database, stages: Sequence[StageName]) -> Config:
    """Return the configuration for a run of these stages.

    For aligning alone it includes all feeds in the archive, also those not in feeds.yaml (any more), such as the
    sample show: aligning needs only what is archived.
    """
    if list(stages) != ["align"]:
        return config
    listed = {feed.slug for feed in config.feeds}
    kept = [
        Feed.model_construct(slug=slug, title=title, url=url)  # it was valid when it was entered
        for slug, title, url in known_feeds(db)
        if slug not in listed
    ]
    return config.model_copy(update={"feeds": [*config.feeds, *kept]})


def check_only(config: Config, db: Database, only: str | None) -> None:
    """Raise if ``only`` matches nothing: a run that silently does nothing looks like one that did everything.

    Raises:
        ConfigError: lists what there is.
    """
    if only is None:
        return
    slug, slash, _ = only.partition("/")
    feeds = {feed.slug: feed for feed in config.feeds}
    if slug not in feeds:
        raise ConfigError(f"--only {only}: feeds.yaml has no such feed; it has {', '.join(feeds)}")
    if slash and not has_episode(db, only):
        raise ConfigError(f"--only {only}: no such episode is known; `poll` fetches the newest ones")
    if only in ids_of(db, slug, feeds[slug].skip):
        raise ConfigError(f"--only {only}: feeds.yaml has it under skip; remove it there first")


def _work(config: Config, tools: Tools, stages: Sequence[StageName], selection: Selection) -> Iterator[_Done]:
    feeds = [feed for feed in config.feeds if selection.names(feed)]
    for feed in feeds:
        if not feed.enabled:
            yield _Task(stages[0], feed).ended("skipped", "switched off in feeds.yaml")
    feeds = [feed for feed in feeds if feed.enabled]
    if "poll" in stages:
        yield from _visited((_Task("poll", feed), partial(poll, tools, feed)) for feed in feeds)
        yield from _visited(_pages(tools, feeds, selection), at_one_host=1)  # web sites are not made for more
    else:
        for feed in feeds:
            if not episodes(tools.db, feed.slug):
                yield _Task(stages[0], feed).ended("skipped", "no episodes are known yet: `poll` finds them")
    if list(stages) == ["align"]:
        yield from _align_together(tools, feeds, selection)
        return
    if "download" in stages:
        yield from _download_all(tools, feeds, selection)
    yield from _hear_all(tools, feeds, [stage for stage in stages if stage in {"transcribe", "align"}], selection)
    if "transcribe" in stages and selection == EVERYTHING:
        forget_unfinished(tools, config.feeds)


def _pages(tools: Tools, feeds: Sequence[Feed], selection: Selection) -> Iterator[tuple[_Task, Work]]:
    for feed in feeds:
        pages = due_pages(tools, feed)
        for episode, left_out in _selected(tools, feed, selection) if pages else ():
            if not left_out and episode.id in pages:
                yield _Task("poll", feed, episode), partial(read_page_of, tools, feed, pages[episode.id])


def _download_all(tools: Tools, feeds: Sequence[Feed], selection: Selection) -> Iterator[_Done]:
    not_had = []  # also what is offered anew of an episode that has its audio
    for done in _visited(_tasks(tools, feeds, ["download"], selection)):
        if done.item.status != "ok" and not done.routine:
            not_had.append(done.item.episode or "")
        yield done
    if selection == EVERYTHING:
        clear_unfinished(tools.data, all_ids(tools.db) - set(not_had))


def _hear_all(tools: Tools, feeds: Sequence[Feed], stages: Sequence[str], selection: Selection) -> Iterator[_Done]:
    """Run these stages of one episode after another, but last those that need the network: none waits for it."""
    visits: list[tuple[_Task, Visit]] = []
    after: list[tuple[_Task, Work]] = []
    for task, work in _tasks(tools, feeds, stages, selection):
        if visits and visits[-1][0].episode == task.episode:
            after.append((task, work))
            continue
        done = _item(task, work)
        if isinstance(done, Visit):
            visits.append((task, done))
        else:
            yield done
    yield from _ended(visits)
    yield from _visited(after)


def _visited(tasks: Iterable[tuple[_Task, Work]], *, at_one_host: int = AT_ONE_HOST) -> Iterator[_Done]:
    """Start each task; run the network visits that tasks return concurrently."""
    visits: list[tuple[_Task, Visit]] = []
    for task, begin in tasks:
        begun = _item(task, begin)
        if isinstance(begun, Visit):
            visits.append((task, begun))
        else:
            yield begun
    yield from _ended(visits, at_one_host=at_one_host)


def _ended(visits: Iterable[tuple[_Task, Visit]], *, at_one_host: int = AT_ONE_HOST) -> Iterator[_Done]:
    """Run visits concurrently, and yield what became of each."""
    for visit in together(visits, at_one_host=at_one_host):
        yield _item(visit.job, visit.store, seconds=visit.seconds)


def _align_together(tools: Tools, feeds: Sequence[Feed], selection: Selection) -> Iterator[_Done]:
    """Align everything in parallel processes; used when aligning is the only stage."""
    wanted: list[tuple[Feed, Episode]] = []
    for feed in feeds:
        for episode, left_out in _selected(tools, feed, selection):
            if left_out:
                yield _Task("align", feed, episode).ended("skipped", left_out, routine=True)
            else:
                wanted.append((feed, episode))
    if len(wanted) == 1:
        ((feed, episode),) = wanted
        yield _item(_Task("align", feed, episode), partial(align_episode, tools, feed, episode))
        return
    for feed, episode, work in align_together(tools, wanted, number=usable_cores()):
        yield _item(_Task("align", feed, episode), work)


def _tasks(
    tools: Tools, feeds: Sequence[Feed], stages: Sequence[str], selection: Selection
) -> Iterator[tuple[_Task, Work]]:
    """Yield these stages of each episode; those that the selection leaves out have nothing to do."""
    for feed in feeds:
        for episode, left_out in _selected(tools, feed, selection):
            for stage in stages:
                work: Work = partial(_EPISODE_STAGES[stage], tools, feed, episode)
                if left_out:
                    work = partial(Outcome, "skipped", left_out, routine=True)
                yield _Task(stage, feed, episode), work


def _selected(tools: Tools, feed: Feed, selection: Selection) -> Iterator[tuple[Episode, str | None]]:
    return selected(wanted_episodes(tools, feed), feed, selection)


def _item(task: _Task, work: Callable[[], Outcome | V], *, seconds: float = 0.0) -> _Done | V:
    """Run one task and return what became of it, or the visit that it still needs.

    ``seconds`` is the time already spent on it.
    """
    began = time.monotonic()
    status: Status = "failed"
    routine = False
    try:
        outcome = work()
        if isinstance(outcome, Visit):
            return outcome
        status, reason, routine = outcome.status, outcome.reason, outcome.routine
    except DiskFullError:
        raise
    except Exception as error:  # whatever a decoder or parser throws is this item's failure alone
        if is_full(error):
            raise DiskFullError(f"{task.stage} of {task.subject}: {error}. Free some space and run again") from error
        log.debug("%s of %s", task.stage, task.subject, exc_info=error)
        reason = str(error) if isinstance(error, ArchiveError) else f"{type(error).__name__}: {error}"
    return task.ended(status, reason, seconds + time.monotonic() - began, routine=routine)
