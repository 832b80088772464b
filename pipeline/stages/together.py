"""Visiting many servers at once, and each of them with few requests. Knows nothing of what is asked there."""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from queue import SimpleQueue
from threading import Thread
from typing import Generic, TypeVar

from pipeline.stages import Outcome, Visit

Job = TypeVar("Job")

AT_ONCE = 16  # visits in all
AT_ONE_HOST = 4  # visits to one server: what browsers do is 6


@dataclass(frozen=True, slots=True)
class Visited(Generic[Job]):
    """A visit that is over, and took ``seconds``; ``store`` stores what came of it, or raises why nothing did."""

    job: Job
    host: str
    store: Callable[[], Outcome]
    seconds: float


def together(
    visits: Iterable[tuple[Job, Visit]], *, at_once: int = AT_ONCE, at_one_host: int = AT_ONE_HOST
) -> Iterator[Visited[Job]]:
    """Make visits in threads and give each as soon as it is over; those to one host begin in the order given.

    A new one begins only when the caller has taken an old one's result, so that few results wait in memory. When the
    caller stops early, as at Ctrl-C, visits that are under way are not waited for: the threads end with the program.
    """
    waiting: dict[str, deque[tuple[Job, Visit]]] = {}
    for job, visit in visits:
        waiting.setdefault(visit.host, deque()).append((job, visit))
    todo: SimpleQueue[tuple[Job, Visit] | None] = SimpleQueue()
    done: SimpleQueue[Visited[Job]] = SimpleQueue()
    threads = 0
    at_work: Counter[str] = Counter()
    try:
        while waiting or at_work.total():
            for host in _next_hosts(waiting, at_work, at_once=at_once, at_one_host=at_one_host):
                todo.put(_taken(waiting, host))
                at_work[host] += 1
                if threads < at_work.total():
                    Thread(target=_work, args=(todo, done), name=f"visit-{threads}", daemon=True).start()
                    threads += 1
            over = done.get()
            at_work[over.host] -= 1
            yield over
    finally:
        for _ in range(threads):
            todo.put(None)


def _next_hosts(
    waiting: dict[str, deque[tuple[Job, Visit]]], at_work: Counter[str], *, at_once: int, at_one_host: int
) -> list[str]:
    """The hosts that may be visited now; those with the fewest visits under way come first."""
    free = at_once - at_work.total()
    chosen: list[str] = []
    for nth in range(at_one_host):
        able = [host for host, visits in waiting.items() if at_work[host] <= nth < at_work[host] + len(visits)]
        chosen += able[: free - len(chosen)]
    return chosen


def _taken(waiting: dict[str, deque[tuple[Job, Visit]]], host: str) -> tuple[Job, Visit]:
    """The host's next visit, taken off the list."""
    taken = waiting[host].popleft()
    if not waiting[host]:
        del waiting[host]
    return taken


def _work(todo: SimpleQueue[tuple[Job, Visit] | None], done: SimpleQueue[Visited[Job]]) -> None:
    while (task := todo.get()) is not None:
        job, visit = task
        began = time.monotonic()
        try:
            store = visit.go()
        except BaseException as error:  # noqa: BLE001 - whatever it was, it is told where the result is awaited
            store = raiser(error)
        done.put(Visited(job, visit.host, store, time.monotonic() - began))


def raiser(error: BaseException) -> Callable[[], Outcome]:
    """Return what raises ``error``, in place of what would store a result."""

    def store() -> Outcome:
        raise error

    return store
