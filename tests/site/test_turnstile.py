"""The turnstile: a few requests run, some wait, the rest are rejected."""

from __future__ import annotations

import asyncio

from pipeline.site.turnstile import Turnstile


async def _crowd(turnstile: Turnstile, number: int) -> tuple[list[bool], int]:
    """Send this many through, each staying for a while; return who passed and the maximum number inside at once."""
    inside = most = 0

    async def one() -> bool:
        nonlocal inside, most
        async with turnstile.passed() as may:
            if may:
                inside += 1
                most = max(most, inside)
                await asyncio.sleep(0.01)
                inside -= 1
            return may

    return list(await asyncio.gather(*(one() for _ in range(number)))), most


def test_only_so_many_are_inside_at_once_and_all_get_their_turn() -> None:
    passed, most = asyncio.run(_crowd(Turnstile(at_once=2, waiting=20), 12))
    assert (passed, most) == ([True] * 12, 2)


def test_who_would_wait_too_long_is_told_at_once() -> None:
    passed, _ = asyncio.run(_crowd(Turnstile(at_once=1, waiting=3), 10))
    assert passed.count(False) == 6  # one inside and three waiting pass


def test_a_turn_is_given_back_by_those_who_fail() -> None:
    async def failing(turnstile: Turnstile) -> None:
        async with turnstile.passed():
            raise ValueError

    async def afterwards(turnstile: Turnstile) -> list[bool]:
        await asyncio.gather(*(failing(turnstile) for _ in range(3)), return_exceptions=True)
        return (await _crowd(turnstile, 1))[0]

    assert asyncio.run(asyncio.wait_for(afterwards(Turnstile(at_once=1, waiting=5)), 5)) == [True]
