"""Checking many files at once. To decode one in a thread holds up all the others: several are given to processes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, Executor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Lock

from pipeline.audio.decode import AudioFacts, check
from pipeline.processes import processes

Check = Callable[[Path], AudioFacts]


@contextmanager
def checks_in_processes(number: int) -> Iterator[Check]:
    """Give what checks a file as ``check`` does, and may be called by any thread.

    A file that comes alone is decoded in that very thread. Where a second one comes meanwhile, ``number`` processes
    begin, and do all that follows.
    """
    with ExitStack() as stack:
        lock = Lock()
        under_way = 0
        pool: Executor | None = None

        def one_more() -> Executor | None:
            nonlocal under_way, pool
            with lock:
                under_way += 1
                if pool is None and under_way > 1:
                    pool = stack.enter_context(processes(number))
                return pool

        def checked(path: Path) -> AudioFacts:
            nonlocal under_way
            chosen = one_more()
            try:
                return check(path) if chosen is None else chosen.submit(check, path).result()
            except BrokenExecutor:  # a process was killed; this one can do its work
                return check(path)
            finally:
                with lock:
                    under_way -= 1

        yield checked
