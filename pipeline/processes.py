"""A process pool whose workers end with this process, however it ends."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context, parent_process
from multiprocessing.connection import Connection, wait
from threading import Lock, Thread
from typing import ParamSpec, TypeVar

_P = ParamSpec("_P")
_T = TypeVar("_T")


@contextmanager
def processes(number: int) -> Iterator[Executor]:
    """Yield a pool of at most ``number`` processes, started on demand.

    At the end of the block (also after Ctrl-C) pending work is cancelled and running work is killed.
    """
    context = get_context("spawn")  # a fork would copy locks that this process's threads hold
    ours, theirs = context.Pipe()
    pool = _Pool(number, mp_context=context, initializer=_end_with_parent, initargs=(theirs,))
    try:
        yield pool
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
        ours.close()
        theirs.close()


class _Pool(ProcessPoolExecutor):
    """Workers ignore Ctrl-C from the start: they inherit the signal mask of the submitting thread."""

    def submit(self, call: Callable[_P, _T], /, *arguments: _P.args, **named: _P.kwargs) -> Future[_T]:
        before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
        try:
            return super().submit(_work, call, *arguments, **named)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)


class _Shift:
    """In a worker: whether it is working, and whether it should end.

    A worker may be killed in the middle of its work, but not while it sends a result: the parent would wait forever.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._is_over = self._works = False

    def end(self) -> None:
        with self._lock:
            self._is_over = True
            if self._works:
                os._exit(0)

    def __enter__(self) -> None:
        with self._lock:
            if self._is_over:
                os._exit(0)
            self._works = True

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._works = False


_shift = _Shift()  # of this process: the pool has no way to hand it to what it calls


def _work(call: Callable[_P, _T], /, *arguments: _P.args, **named: _P.kwargs) -> _T:
    with _shift:
        return call(*arguments, **named)


def _end_with_parent(lifeline: Connection) -> None:
    """In a process of the pool: end when the parent does or lets go of the lifeline."""
    parent = parent_process()
    gone = [parent.sentinel] if parent else []

    def watch() -> None:
        if not set(wait([lifeline, *gone])).intersection(gone):
            _shift.end()  # the parent asks nothing more of it, and ends it if it has nothing to do
            wait(gone)
        os._exit(0)

    Thread(target=watch, daemon=True).start()
