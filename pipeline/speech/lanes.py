"""Processing items in several threads, in batches, with the results in the order of the items."""

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
    """The number of threads, and the size of their batches.

    Attributes:
        usual: Threads while no other process competes for the CPU.
        crowded: Threads while others do, since CPU time is shared out by threads. They share the same amount of work.
        batch: The most items that a thread gets at once.
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
    """Yield the result of ``work`` for each item, in order.

    A free thread gets its share of the items at hand, so that none waits long at the beginning, and none has much left
    to do at the end when the others are done (guided self-scheduling, Polychronopoulos and Kuck 1987). The batches are
    therefore not deterministic, and a result must not depend on the other items in the batch.

    Args:
        items: Consumed in this thread while the others work, no more than will soon be needed.
        work: Called from the lanes' threads with a batch of consecutive items; returns one result for each.
        lanes: The numbers of threads, and the batch size.
        crowded: Tells whether other processes compete for the CPU now.

    Raises:
        Exception: Any error of ``items`` or ``work``, after the running batches are done.
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
