"""Work in several threads: how much each gets, the order of the results, and behaviour under load."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.speech.cores import Neighbours
from pipeline.speech.lanes import Lanes, in_lanes

PATIENCE = 20  # seconds, after which a test fails
few = st.integers(1, 9)


class Paced:
    """Items and work on them, at the same pace on any machine.

    No thread finishes before all are working, and then only one at a time, once so many items are available that no
    more would be taken.

    Args:
        lanes: the number of threads.
        threads: how many of them are to be working.
        first: how many items each of them is to get at the beginning.
        share: how many later, while there are more items.
    """

    def __init__(self, lanes: Lanes, *, threads: int, first: int, share: int) -> None:
        self.groups: list[list[int]] = []
        self.busiest = self._busy = 0
        self._threads, self._share = threads, share
        self._full = threads * first + 2 * lanes.usual * lanes.batch
        self._lock = threading.Lock()
        self._all_at_work = threading.Event()
        self._may_end = threading.Semaphore(0)

    def items(self, count: int) -> Iterator[int]:
        for n in range(count):
            beyond = n + 1 - self._full
            if beyond >= 0 and beyond % self._share == 0:
                assert self._all_at_work.wait(PATIENCE)
                self._may_end.release()
            yield n
        self._may_end.release(count)

    def work(self, group: Sequence[int]) -> Sequence[int]:
        with self._lock:
            self.groups.append(list(group))
            self._busy += 1
            self.busiest = max(self.busiest, self._busy)
            if self._busy == self._threads:
                self._all_at_work.set()
        assert self._may_end.acquire(timeout=PATIENCE)
        with self._lock:
            self._busy -= 1
        return group

    def sizes(self) -> list[int]:
        """The number of items in each group, sorted, since threads do not start in the order of their groups."""
        return [len(group) for group in sorted(self.groups)]


@given(count=st.integers(0, 200), usual=few, more=st.integers(0, 9), batch=few, moods=st.lists(st.booleans()))
def test_every_item_is_worked_at_once_whatever_the_others_do(
    count: int, usual: int, more: int, batch: int, moods: list[bool]
) -> None:
    groups: list[Sequence[int]] = []

    def work(group: Sequence[int]) -> Sequence[int]:
        groups.append(group)
        return [10 * item for item in group]

    lanes = Lanes(usual, usual + more, batch)
    results = list(in_lanes(range(count), work, lanes, crowded=lambda: bool(moods) and moods.pop()))
    assert results == [10 * item for item in range(count)]
    assert sorted(item for group in groups for item in group) == list(range(count))
    assert all(1 <= len(group) <= batch for group in groups)


@pytest.mark.parametrize(("usual", "batch"), [(1, 4), (2, 8), (3, 2)])
def test_a_long_recording_is_worked_at_in_full_batches_by_the_usual_threads(usual: int, batch: int) -> None:
    lanes = Lanes(usual, 4 * usual, batch)
    paced = Paced(lanes, threads=usual, first=2, share=batch)
    list(in_lanes(paced.items(200), paced.work, lanes))
    assert paced.busiest == usual
    assert sum(size for size in paced.sizes() if size == batch) >= 200 - 4 * usual * batch


def test_where_it_is_crowded_more_threads_have_the_same_between_them() -> None:
    lanes = Lanes(usual=2, crowded=8, batch=8)
    paced = Paced(lanes, threads=8, first=1, share=2)
    list(in_lanes(paced.items(200), paced.work, lanes, crowded=lambda: True))
    assert paced.busiest == 8
    assert paced.sizes() == [1] * 8 + [2] * 92 + [1] * 8


def test_at_the_end_each_gets_its_share_of_what_is_left() -> None:
    lanes = Lanes(usual=2, crowded=2, batch=8)
    paced = Paced(lanes, threads=2, first=2, share=8)
    list(in_lanes(paced.items(60), paced.work, lanes))
    assert paced.sizes() == [2, 2, 8, 8, 8, 8, 8, 8, 4, 2, 1, 1]


def test_no_more_is_taken_than_is_soon_needed() -> None:
    taken = []

    def items() -> Iterator[int]:
        for n in range(1000):
            taken.append(n)
            yield n

    results = in_lanes(items(), lambda group: group, Lanes(2, 2, 4))
    assert next(results) == 0
    assert len(taken) < 40
    results.close()  # type: ignore[attr-defined]  # it is a generator


def test_results_come_in_the_items_order_whichever_is_done_first() -> None:
    def work(group: Sequence[int]) -> list[int]:
        time.sleep(0.02 if group[0] % 2 else 0)
        return [10 * item for item in group]

    assert list(in_lanes(range(30), work, Lanes(3, 3, 2))) == [10 * n for n in range(30)]


def test_a_slow_item_does_not_hold_up_the_others() -> None:
    others_done = threading.Event()

    def work(group: Sequence[int]) -> Sequence[int]:
        if 0 in group:
            assert others_done.wait(10)
        if 39 in group:
            others_done.set()
        return group

    assert list(in_lanes(range(40), work, Lanes(2, 2, 1))) == list(range(40))


def test_what_work_raises_ends_it_and_what_waits_is_not_begun() -> None:
    begun = []

    def work(group: Sequence[int]) -> Sequence[int]:
        begun.append(group[0])
        if group[0] == 3:
            raise ValueError("the fourth")
        time.sleep(0.001)
        return group

    with pytest.raises(ValueError, match="the fourth"):
        list(in_lanes(range(500), work, Lanes(1, 1, 1)))
    assert max(begun) < 20


def test_what_items_raise_comes_out_and_no_thread_stays() -> None:
    def items() -> Iterator[int]:
        yield from range(5)
        raise OSError("the file ends early")

    with pytest.raises(OSError, match="ends early"):
        list(in_lanes(items(), lambda group: group, Lanes(2, 2, 2)))
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("lane")]


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the system is not asked")
def test_it_is_crowded_where_other_processes_keep_the_cores_busy() -> None:
    here = Neighbours()
    hogs = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in os.sched_getaffinity(0)]
    try:
        deadline = time.monotonic() + 20
        while not here.crowd() and time.monotonic() < deadline:
            sum(range(100_000))
        assert here.crowd()
    finally:
        for hog in hogs:
            hog.kill()
            hog.wait()
