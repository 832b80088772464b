"""Many concurrent visits, few to each host."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Generator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import DownloadError
from pipeline.stages import Outcome, Visit
from pipeline.stages.together import together


class Servers:
    """Counts how many visits are in progress at each host."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.under_way: Counter[str] = Counter()
        self.begun: list[tuple[str, int]] = []
        self.most_at: Counter[str] = Counter()
        self.most = 0

    def visit(self, host: str, number: int, seconds: float = 0.001, *, later: float = 0.0) -> Visit:
        """A visit that is at the host for ``seconds``, and then works elsewhere for ``later``."""

        def go(leave: Callable[[], None]) -> Callable[[], Outcome]:
            with self.lock:
                self.begun.append((host, number))
                self.under_way[host] += 1
                self.most_at[host] = max(self.most_at[host], self.under_way[host])
                self.most = max(self.most, self.under_way.total())
            time.sleep(seconds)
            with self.lock:
                self.under_way[host] -= 1
            if later:
                leave()
                leave()  # frees no second slot
                time.sleep(later)
            return lambda: Outcome("ok", f"{host} {number}")

        return Visit(host, go)


@given(
    st.lists(st.tuples(st.sampled_from("abcde"), st.sampled_from([0.0, 0.0005])), max_size=40),
    st.integers(1, 6),
    st.integers(1, 3),
)
def test_every_visit_is_made_once_and_no_host_is_crowded(
    planned: list[tuple[str, float]], at_once: int, at_one_host: int
) -> None:
    servers = Servers()
    hosts = [host for host, _ in planned]
    visits = [(number, servers.visit(host, number, 0.0, later=later)) for number, (host, later) in enumerate(planned)]
    over = [
        (visited.job, visited.store().reason) for visited in together(visits, at_once=at_once, at_one_host=at_one_host)
    ]
    assert sorted(over) == [(number, f"{host} {number}") for number, host in enumerate(hosts)]
    assert servers.most <= at_once
    assert all(most <= at_one_host for most in servers.most_at.values())


def test_visits_to_one_host_begin_in_order() -> None:
    servers = Servers()
    list(together([(n, servers.visit("ab"[n % 2], n)) for n in range(20)], at_once=3, at_one_host=1))
    for host in "ab":
        numbers = [number for name, number in servers.begun if name == host]
        assert numbers == sorted(numbers)


def test_a_slow_host_holds_nobody_else_up() -> None:
    servers = Servers()
    visits = [(("slow", n), servers.visit("slow", n, 0.3)) for n in range(3)]
    visits += [(("quick", n), servers.visit(f"quick{n}", n)) for n in range(10)]
    order = [visited.job[0] for visited in together(visits, at_once=4, at_one_host=2)]
    assert order[:10] == ["quick"] * 10


def test_a_host_that_was_left_is_visited_while_the_visit_has_work_of_its_own() -> None:
    all_left = threading.Barrier(4)

    def go(leave: Callable[[], None]) -> Callable[[], Outcome]:
        leave()
        all_left.wait(timeout=30)
        return lambda: Outcome("ok", "")

    over = together([(n, Visit("a", go)) for n in range(4)], at_once=4, at_one_host=1)
    assert [visited.store().status for visited in over] == ["ok"] * 4


def test_visits_with_work_of_their_own_are_bounded_too() -> None:
    lock, three = threading.Lock(), threading.Barrier(3)
    busy: list[int] = [0]
    most: list[int] = [0]

    def go(leave: Callable[[], None]) -> Callable[[], Outcome]:
        leave()
        with lock:
            busy[0] += 1
            most[0] = max(most[0], busy[0])
        three.wait(timeout=30)
        with lock:
            busy[0] -= 1
        return lambda: Outcome("ok", "")

    assert len(list(together([(n, Visit("a", go)) for n in range(12)], at_once=3, at_one_host=2))) == 12
    assert most == [3]


def test_what_a_visit_raises_is_raised_where_it_is_stored() -> None:
    def fail(_leave: Callable[[], None]) -> Callable[[], Outcome]:
        raise DownloadError("cut short")

    servers = Servers()
    first, second = sorted(
        together([(1, Visit("a", fail)), (2, servers.visit("a", 2))]), key=lambda visited: visited.job
    )
    with pytest.raises(DownloadError, match="cut short"):
        first.store()
    assert second.store().status == "ok"


def test_whoever_stops_early_is_not_kept_waiting() -> None:
    servers = Servers()
    began = time.monotonic()
    visits = together([("quick", servers.visit("a", 1)), ("endless", servers.visit("b", 2, 5.0))])
    assert next(visits).job == "quick"
    assert isinstance(visits, Generator)
    visits.close()
    assert time.monotonic() - began < 4
