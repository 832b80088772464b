"""Rate limiting of requests to a host."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.net.client import make_client
from pipeline.net.courtesy import LONGEST_PAUSE, Courtesy, retry_after
from tests.support.misbehaving import Answer, Server

NOW = datetime(2026, 6, 2, 6, 0, 0, tzinfo=UTC)


class Clock:
    """A clock that advances only by sleeping; ``slept`` are the durations."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(round(seconds, 6))
        self.now += seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def courtesy(clock: Clock) -> Courtesy:
    return Courtesy(per_second=4, clock=lambda: clock.now, sleep=clock.sleep)


def test_one_host_is_asked_no_faster_than_allowed_and_others_do_not_wait(clock: Clock, courtesy: Courtesy) -> None:
    for host in ("a", "a", "b", "a"):
        courtesy.wait(host)
    assert clock.slept == [0.25, 0.25]
    clock.now += 60
    courtesy.wait("a")
    assert len(clock.slept) == 2


def test_a_host_that_is_busy_is_left_alone_by_everybody(server: Server, clock: Clock, courtesy: Courtesy) -> None:
    busy = Answer(status=429, headers={"Retry-After": "30"})
    url = server.give("/", busy, Answer(status=503, headers={"Retry-After": "99999"}), Answer(b"here"))
    for _ in range(3):
        with make_client(allow_private=True, courtesy=courtesy) as client:
            answer = client.get(url)
    assert answer.content == b"here"
    assert clock.slept == [30, LONGEST_PAUSE]


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        (None, 0), ("", 0), ("120", 120), (" 5 ", 5), ("-5", 0), ("1.5", 0), ("²", 0), ("soon", 0),
        ("Tue, 02 Jun 2026 06:01:00 GMT", 60), ("Tue, 02 Jun 2026 05:00:00 GMT", 0), ("Tue, 02 Jun 2026 06:01:00", 60),
        ("9" * 400, 999_999_999), ("Tue, 02 Jun 2026 06:01:00 +99999999999999999", 0),
    ],
)  # fmt: skip
def test_for_how_long_a_server_wants_to_be_left_alone(said: str | None, seconds: float) -> None:
    assert retry_after(said, NOW) == seconds


@given(said=st.text())
def test_whatever_it_says_is_a_time(said: str) -> None:
    assert retry_after(said, NOW) >= 0
