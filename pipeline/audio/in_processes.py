"""Checking many files at once. To decode one in a thread holds up all the others: several are given to processes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Executor
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from threading import Lock

from pipeline.audio.decode import AudioFacts, check
from pipeline.errors import PassingError
from pipeline.processes import processes

Check = Callable[[Path], AudioFacts]

_GIVEN_UP = "the run ended before it was checked"


@contextmanager
def checks_in_processes(number: int) -> Iterator[Check]:
    """Give what checks a file as ``check`` does, and may be called by any thread.

    A file that comes alone is decoded in that very thread. Where a second one comes meanwhile, ``number`` processes
    begin, and do all that follows. A thread that is left over when the block ends, as at Ctrl-C, gets a
    ``PassingError``: what it has was not checked, and nothing is wrong with it.
    """
    with ExitStack() as stack:
        lock = Lock()
        under_way = 0
        pool: Executor | None = None
        is_over = False

        def one_more() -> Executor | None:
            nonlocal under_way, pool
            with lock:
                if is_over:
                    raise PassingError(_GIVEN_UP)
                under_way += 1
                if pool is None and under_way > 1:
                    pool = stack.enter_context(processes(number))
                return pool

        def checked(path: Path) -> AudioFacts:
            nonlocal under_way
            chosen = one_more()
            try:
                if chosen is not None:
                    with suppress(CancelledError, RuntimeError):  # given up, or a process was killed
                        return chosen.submit(check, path).result()
                    if is_over:
                        raise PassingError(_GIVEN_UP)
                return check(path)  # this process can do a killed one's work
            finally:
                with lock:
                    under_way -= 1

        try:
            yield checked
        finally:
            with lock:
                is_over = True
