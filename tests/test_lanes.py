"""Work in several threads: the groups its items are parted into, and the order of its results."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.speech.lanes import groups, in_lanes

few = st.integers(1, 9)


@given(count=st.integers(0, 200), lanes=few, batch=few)
def test_every_item_is_in_one_group_in_order(count: int, lanes: int, batch: int) -> None:
    parted = list(groups(range(count), lanes=lanes, batch=batch))
    assert [item for group in parted for item in group] == list(range(count))
    assert all(1 <= len(group) <= batch for group in parted)


@given(count=st.integers(40, 200), lanes=st.integers(1, 4), batch=st.integers(2, 8))
def test_a_long_recording_is_worked_at_in_full_batches(count: int, lanes: int, batch: int) -> None:
    sizes = [len(group) for group in groups(range(count), lanes=lanes, batch=batch)]
    assert set(sizes[lanes : lanes + (count - 2 * lanes) // batch - lanes]) <= {batch}


@given(count=st.integers(0, 60), lanes=st.integers(1, 4), batch=st.integers(1, 8))
def test_no_lane_has_much_left_when_another_is_done(count: int, lanes: int, batch: int) -> None:
    busy_until = [0] * lanes
    sizes = [len(group) for group in groups(range(count), lanes=lanes, batch=batch)]
    for size in sizes:
        busy_until[busy_until.index(min(busy_until))] += size
    assert max(busy_until) - min(busy_until) <= max(2, batch // 2)


def test_no_more_is_taken_than_is_soon_needed() -> None:
    taken = []

    def items() -> Iterator[int]:
        for n in range(1000):
            taken.append(n)
            yield n

    results = in_lanes(items(), lambda group: group, lanes=2, batch=4)
    assert next(results) == 0
    assert len(taken) < 40
    results.close()  # type: ignore[attr-defined]  # it is a generator


def test_results_come_in_the_items_order_whichever_is_done_first() -> None:
    def work(group: Sequence[int]) -> list[int]:
        time.sleep(0.02 if group[0] % 2 else 0)
        return [10 * item for item in group]

    assert list(in_lanes(range(30), work, lanes=3, batch=2)) == [10 * n for n in range(30)]


def test_what_work_raises_ends_it_and_what_waits_is_not_begun() -> None:
    begun = []

    def work(group: Sequence[int]) -> Sequence[int]:
        begun.append(group[0])
        if group[0] == 3:
            raise ValueError("the fourth")
        time.sleep(0.001)
        return group

    with pytest.raises(ValueError, match="the fourth"):
        list(in_lanes(range(500), work, lanes=1, batch=1))
    assert max(begun) < 20


def test_what_items_raise_comes_out_and_no_thread_stays() -> None:
    def items() -> Iterator[int]:
        yield from range(5)
        raise OSError("the file ends early")

    with pytest.raises(OSError, match="ends early"):
        list(in_lanes(items(), lambda group: group, lanes=2, batch=2))
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("lane")]
