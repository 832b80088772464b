"""Processes that work for this one and end with it, however it ends. Knows nothing of their work."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context, parent_process
from multiprocessing.connection import Connection, wait
from threading import Thread


@contextmanager
def processes(number: int) -> Iterator[Executor]:
    """Give what work can be submitted to; its processes begin when there is something to do, ``number`` at most.

    What is not done at the end of the block, as at Ctrl-C, is given up at once, also what is under way.
    """
    context = get_context("spawn")  # a fork would copy locks that this process's threads hold
    ours, theirs = context.Pipe()
    pool = ProcessPoolExecutor(number, mp_context=context, initializer=_end_with_parent, initargs=(theirs,))
    try:
        yield pool
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
        ours.close()
        theirs.close()


def _end_with_parent(lifeline: Connection) -> None:
    """In a process of the pool: leave Ctrl-C to the parent, and end when the parent does or lets go of the lifeline."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = parent_process()

    def watch() -> None:
        wait([lifeline, *([parent.sentinel] if parent else [])])
        os._exit(0)

    Thread(target=watch, daemon=True).start()
