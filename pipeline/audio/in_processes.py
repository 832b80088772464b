"""Checking several files at once. Decoding in a thread blocks the other threads, so several files need processes."""

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
    """Yield a function that checks a file as ``check`` does, and may be called from any thread.

    A single file is decoded in the calling thread. Once a second one is checked at the same time, ``number`` processes
    are started, and do all further checks. A thread that still waits for one when the block ends, as at Ctrl-C, gets a
    ``PassingError``: its file was not checked, but nothing is wrong with it.
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
                    with suppress(CancelledError, RuntimeError):  # cancelled, or a process was killed
                        return chosen.submit(check, path).result()
                    if is_over:
                        raise PassingError(_GIVEN_UP)
                return check(path)  # do the work of the killed process here
            finally:
                with lock:
                    under_way -= 1

        try:
            yield checked
        finally:
            with lock:
                is_over = True
