"""Work that goes on in several threads at once, some items at a time, with its results in the items' order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from itertools import islice
from typing import TypeVar

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


@dataclass(frozen=True, slots=True)
class Lanes:
    """How many threads work at the same time, and at how much.

    Attributes:
        usual: Threads where no other process wants the processor.
        crowded: Threads where others do: it is shared out by threads. They have the same work between them.
        batch: How many items at most a thread gets at once.
    """

    usual: int
    crowded: int
    batch: int


def in_lanes(
    items: Iterable[_Item],
    work: Callable[[Sequence[_Item]], Sequence[_Result]],
    lanes: Lanes,
    *,
    crowded: Callable[[], bool] = lambda: False,
) -> Iterator[_Result]:
    """Let ``work`` make one result of each item.

    A thread that is free gets its share of the items at hand, so that none waits long at the beginning, and none has
    much to do at the end when another is done (guided self-scheduling, Polychronopoulos and Kuck 1987). So how items
    are parted hangs on chance, and a result must not depend on what else ``work`` was called with.

    Args:
        items: Taken in this thread while the others work, no more than will soon be needed.
        work: Called from the lanes' threads with some items that follow each other.
        lanes: How many threads there are.
        crowded: Tells whether other processes want the processor now.

    Raises:
        Exception: What ``items`` or ``work`` raises, once those at work are done.
    """
    source = iter(items)
    at_hand: deque[_Item] = deque()
    results: deque[Future[Sequence[_Result]]] = deque()
    to_begin_with = min(2, lanes.batch) * lanes.usual  # items, while there may be more of them
    more = True
    with ThreadPoolExecutor(lanes.crowded, thread_name_prefix="lane") as pool:
        while more or at_hand or results:
            while results and results[0].done():
                yield from results.popleft().result()
            working = [result for result in results if not result.done()]
            threads = lanes.crowded if crowded() else lanes.usual
            if len(working) < threads and len(at_hand) >= (to_begin_with if more else 1):
                share = -(-min(len(at_hand), lanes.usual * lanes.batch) // threads)
                results.append(pool.submit(work, [at_hand.popleft() for _ in range(share)]))
            elif more and len(at_hand) < 2 * lanes.usual * lanes.batch:
                taken = list(islice(source, 1))
                at_hand += taken
                more = bool(taken)
            else:
                wait(working, return_when=FIRST_COMPLETED)
