"""Work that goes on in several threads at once, some items at a time, with its results in the items' order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import chain, islice, repeat
from typing import TypeVar

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


def in_lanes(
    items: Iterable[_Item], work: Callable[[Sequence[_Item]], Sequence[_Result]], *, lanes: int, batch: int
) -> Iterator[_Result]:
    """Let ``work`` make one result of each item.

    Args:
        items: Taken in this thread, no more than the lanes will soon need.
        work: Called from the lanes' threads with the items of one of the ``groups``.
        lanes: How many threads there are.
        batch: How many items at most one call gets.

    Raises:
        Exception: What ``items`` or ``work`` raises; what waits then is not begun.
    """
    waiting: deque[Future[Sequence[_Result]]] = deque()
    with ThreadPoolExecutor(lanes, thread_name_prefix="lane") as pool:
        try:
            for group in groups(items, lanes=lanes, batch=batch):
                waiting.append(pool.submit(work, group))
                if len(waiting) > lanes + 1:  # more would only fill the memory
                    yield from waiting.popleft().result()
            while waiting:
                yield from waiting.popleft().result()
        finally:
            pool.shutdown(cancel_futures=True)


def groups(items: Iterable[_Item], *, lanes: int, batch: int) -> Iterator[list[_Item]]:
    """Part items into groups of at most ``batch``, small ones first and last.

    At the beginning the lanes would wait for a large one to be ready; near the end, each group is one lane's share of
    all that is left, so that none has much to do when another is done (guided self-scheduling, Polychronopoulos and
    Kuck 1987). The parting hangs on the number of lanes and items, not on how fast they are worked at: what comes out
    of a batch depends, in its last digits, on its size, and one machine must give the same words each time.
    """
    source = iter(items)
    ahead: deque[_Item] = deque()
    for size in chain(repeat(min(2, batch), lanes), repeat(batch)):
        ahead.extend(islice(source, lanes * size - len(ahead)))
        if not ahead:
            return
        yield [ahead.popleft() for _ in range(-(-len(ahead) // lanes))]
