"""Running network visits concurrently, with few at a time per host, and one thing beside another."""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from queue import SimpleQueue
from threading import Thread
from typing import Generic, TypeVar

from pipeline.stages import Outcome, Visit

Job = TypeVar("Job")
Result = TypeVar("Result")

AT_ONCE = 16  # visits in all
AT_ONE_HOST = 4  # visits to one server: what browsers do is 6


@dataclass(frozen=True, slots=True)
class Visited(Generic[Job]):
    """A finished visit, which took ``seconds``; ``store`` stores its result or raises its error."""

    job: Job
    store: Callable[[], Outcome]
    seconds: float


def together(
    visits: Iterable[tuple[Job, Visit]], *, at_once: int = AT_ONCE, at_one_host: int = AT_ONE_HOST
) -> Iterator[Visited[Job]]:
    """Run visits in threads and yield each as it finishes; visits to one host start in the order given.

    ``at_once`` limits the unfinished visits, ``at_one_host`` those still talking to one host. No visit starts while the
    caller handles a result, so that few results are held in memory. If the caller stops early (Ctrl-C), running visits
    are abandoned: their daemon threads end with the program.
    """
    waiting: dict[str, deque[tuple[Job, Visit]]] = {}
    for job, visit in visits:
        waiting.setdefault(visit.host, deque()).append((job, visit))
    todo: SimpleQueue[tuple[Job, Visit] | None] = SimpleQueue()
    news: SimpleQueue[str | Visited[Job]] = SimpleQueue()  # a host that a visit has left, or a finished visit
    threads = under_way = 0
    there: Counter[str] = Counter()  # visits at each host; a visit may leave its host before it is finished
    try:
        while waiting or under_way:
            for host in _next_hosts(waiting, there, free=at_once - under_way, at_one_host=at_one_host):
                todo.put(_taken(waiting, host))
                there[host] += 1
                under_way += 1
                if threads < under_way:
                    Thread(target=_work, args=(todo, news), name=f"visit-{threads}", daemon=True).start()
                    threads += 1
            told = news.get()
            if isinstance(told, str):
                there[told] -= 1
            else:
                under_way -= 1
                yield told
    finally:
        for _ in range(threads):
            todo.put(None)


def _next_hosts(
    waiting: dict[str, deque[tuple[Job, Visit]]], there: Counter[str], *, free: int, at_one_host: int
) -> list[str]:
    """At most ``free`` hosts that may be visited now, those with the fewest running visits first."""
    chosen: list[str] = []
    for nth in range(at_one_host):
        able = [host for host, visits in waiting.items() if there[host] <= nth < there[host] + len(visits)]
        chosen += able[: free - len(chosen)]
    return chosen


def _taken(waiting: dict[str, deque[tuple[Job, Visit]]], host: str) -> tuple[Job, Visit]:
    """The host's next visit, taken off the list."""
    taken = waiting[host].popleft()
    if not waiting[host]:
        del waiting[host]
    return taken


def _work(todo: SimpleQueue[tuple[Job, Visit] | None], news: SimpleQueue[str | Visited[Job]]) -> None:
    while (task := todo.get()) is not None:
        job, visit = task
        began = time.monotonic()
        leave = _Once(partial(news.put, visit.host))
        try:
            store = visit.go(leave)
        except BaseException as error:  # noqa: BLE001 - whatever it was, it is told where the result is awaited
            store = raiser(error)
        leave()
        news.put(Visited(job, store, time.monotonic() - began))


class _Once:
    """A callable that acts only on its first call."""

    def __init__(self, do: Callable[[], None]) -> None:
        self._left = [do]

    def __call__(self) -> None:
        while self._left:
            self._left.pop()()


def beside(work: Callable[[], Result]) -> Future[Result]:
    """Do something in a thread of its own, which ends with the program."""
    future: Future[Result] = Future()

    def run() -> None:
        try:
            future.set_result(work())
        except BaseException as error:  # noqa: BLE001 - it is told where the result is awaited
            future.set_exception(error)

    Thread(target=run, name="beside", daemon=True).start()
    return future


def raiser(error: BaseException) -> Callable[[], Outcome]:
    """Return a function that raises ``error``, to use as ``store``."""

    def store() -> Outcome:
        raise error

    return store
