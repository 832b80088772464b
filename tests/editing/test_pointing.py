"""Which passages a written time refers to."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pipeline.addresses import Addresses
from pipeline.editing.pointing import begun_at, is_of_a_clock, numbers_at
from pipeline.model import Segment
from pipeline.times import clock, seconds


def said(*starts: float) -> list[Segment]:
    return [Segment(start, start + 5.5, "Words.") for start in starts]


def test_a_second_that_a_clock_shows_is_that_of_the_passage_that_begins_in_it() -> None:
    passages = said(0.8, 6.9, 13.0)
    assert [begun_at(passages, second) for second in (0, 1, 6, 7, 13, 99)] == [0.8, 1, 6.9, 7, 13.0, 99]
    assert [begun_at(passages, 6, end) for end in (6.5, 7.0, 6.0)] == [6, 6.9, 6.9]
    assert begun_at((), 6) == 6


def test_passages_are_those_from_a_second_to_another() -> None:
    passages = said(0.8, 6.9, 13.0)
    assert [list(numbers_at(passages, second)) for second in (0.0, 6.85, 6.7, 18.55)] == [[0], [1], [0], [2]]
    assert [list(numbers_at(said(0.8, 0.85), second)) for second in (0.8, 0.75, 0.85)] == [[0], [0], [1]]
    assert list(numbers_at(passages, 0.8, 13.0)) == [0, 1]
    assert not numbers_at(passages, 19.0)
    assert not numbers_at((), 3.0)


@given(st.lists(st.integers(0, 10_000), min_size=1, unique=True), st.data())
def test_what_a_page_shows_at_a_passage_names_that_passage(thousandths: list[int], data: st.DataObject) -> None:
    passages = said(*(one / 100 for one in sorted(thousandths)))
    n = data.draw(st.integers(0, len(passages) - 1))
    shown = clock(passages[n].start)
    second = seconds(shown)
    assert second is not None
    assert is_of_a_clock(shown)
    (named, *_) = numbers_at(passages, begun_at(passages, second))
    assert clock(passages[named].start) == shown


@given(st.lists(st.integers(0, 10_000), min_size=1, unique=True), st.data())
def test_the_address_of_a_passage_opens_it_or_the_first_with_the_same_address(
    thousandths: list[int], data: st.DataObject
) -> None:
    passages = said(*(one / 1000 for one in sorted(thousandths)))
    n = data.draw(st.integers(0, len(passages) - 1))
    written = [Addresses().episode("a/b", one.start) for one in passages]
    second = seconds(written[n].partition("t=")[2])
    assert second is not None
    assert numbers_at(passages, second).start == written.index(written[n])
