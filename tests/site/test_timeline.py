"""Timelines and charts: the positions of their parts."""

from __future__ import annotations

import re
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import Environment, PackageLoader

from pipeline.addresses import Addresses
from pipeline.archive.reading import Passage
from pipeline.site import wording
from pipeline.site.chart import chart
from pipeline.site.timeline import SPEAKERS, WHOLE, spans, timeline
from tests.support.exporting import question


def passage(n: int, start: float, end: float, speaker: str | None = "Ann", *flags: str) -> Passage:
    return Passage(n, start, end, "Text", speaker, "other", (), tuple(flags), ())


def boxes(path: str) -> list[tuple[int, int]]:
    return [(int(x), int(width)) for x, width in re.findall(r"M(\d+) 0h(\d+)v10h-\2z", path)]


def test_questions_lie_where_they_are_asked_and_answered() -> None:
    first, second = spans(100.0, [question(1, "asked", 10.0, 50.0), question(2, "uncertain", 50.0, 60.0)])
    assert (first.x, first.x + first.width, first.label, first.uncertain) == (100, 498, "1", False)
    assert (second.x, second.label, second.uncertain) == (500, "2", True)


def test_an_answer_that_ends_after_the_next_question_hides_nothing() -> None:
    first, second = spans(100.0, [question(1, "asked", 10.0, 90.0), question(2, "asked", 50.0, 60.0)])
    assert first.x + first.width < second.x


def test_questions_in_one_breath_are_one_span_and_unasked_ones_none() -> None:
    asked = [question(2, "merged", 10.0, 50.0), question(1, "asked", 10.0, 40.0), question(3, "not_asked")]
    (one,) = spans(100.0, asked)
    assert (one.label, one.x, one.width) == ("1+2", 100, 398)


def test_times_of_one_breath_that_differ_by_rounding_alone_are_one() -> None:
    typed, computed = question(5, "asked", 147.646, 190.0), question(4, "merged", 147.64600000000002, 190.0)
    (one,) = spans(300.0, [typed, computed])
    assert (one.label, one.start) == ("4+5", 147.646)


def test_a_question_without_an_end_can_still_be_seen_and_pressed() -> None:
    (one,) = spans(3600.0, [question(1, "asked", 3600.0)])
    assert one.width > 0


def test_speakers_and_doubtful_passages_have_strips() -> None:
    line = timeline(
        100.0,
        [],
        [passage(0, 0, 10), passage(1, 10, 20), passage(2, 20, 60, "Bob", "low_confidence"), passage(3, 90, 100)],
    )
    assert line is not None
    assert [(strip.label, boxes(strip.path)) for strip in line.speakers] == [
        ("Bob", [(200, 400)]),
        ("Ann", [(0, 200), (900, 100)]),
    ]
    assert line.doubtful is not None
    assert (boxes(line.doubtful.path), line.flagged) == ([(200, 400)], 1)


def test_a_passage_inside_of_a_longer_one_takes_nothing_away() -> None:
    line = timeline(1000.0, [], [passage(0, 0, 100), passage(1, 50, 60), passage(2, 90, 120), passage(3, 500, 510)])
    assert line is not None
    (strip,) = line.speakers
    assert boxes(strip.path) == [(0, 120), (500, 10)]


@given(st.lists(st.tuples(st.integers(0, 990), st.integers(1, 300)), min_size=1))
def test_a_strip_covers_what_is_said_and_little_else(spoken: list[tuple[int, int]]) -> None:
    line = timeline(1000.0, [], [passage(n, start, start + length) for n, (start, length) in enumerate(spoken)])
    assert line is not None
    drawn = {unit for strip in line.speakers for x, width in boxes(strip.path) for unit in range(x, x + width)}
    said = {unit for start, length in spoken for unit in range(start, min(start + length, WHOLE))}
    assert said <= drawn
    assert all({unit - near for near in range(-3, 4)} & said for unit in drawn)


def test_many_speakers_share_the_last_strip() -> None:
    line = timeline(100.0, [], [passage(n, 10 * n, 10 * n + 10 - n, f"S{n}") for n in range(9)])
    assert line is not None
    assert [strip.label for strip in line.speakers] == ["S0", "S1", "S2", "S3", "5 others"]
    assert len(line.speakers) == SPEAKERS


@pytest.mark.parametrize(
    ("duration", "marks"),
    [(240.0, (60, 120, 180)), (3600.0, (600, 1200, 1800, 2400, 3000)), (5.0, ())],
)
def test_marks_are_round_and_few(duration: float, marks: tuple[float, ...]) -> None:
    line = timeline(duration, [], [passage(0, 0, 1)])
    assert line is not None
    assert line.marks == marks


def test_there_is_no_picture_of_what_is_not_transcribed() -> None:
    assert timeline(100.0, [question(1, None)], []) is None
    assert timeline(None, [], [passage(0, 0, 1)]) is None
    assert timeline(100.0, [question(1, None)], [passage(0, 0, 1, None)]) is None  # nor is an empty one
    assert spans(None, [question(1, "asked", 1.0)]) == ()


times = st.floats(0, 1e6, allow_nan=False)


@given(
    st.floats(0.1, 1e5),
    st.lists(st.tuples(times, times, st.sampled_from("ABCDEFGH"))),
    st.lists(st.tuples(times, times, st.sampled_from(["asked", "uncertain", "merged"]))),
)
def test_nothing_lies_outside_whatever_the_times(
    duration: float, spoken: list[tuple[float, float, str]], asked: list[tuple[float, float, str]]
) -> None:
    passages = [passage(n, start, end, speaker, "low_confidence") for n, (start, end, speaker) in enumerate(spoken)]
    questions = [question(n, status, start, end) for n, (start, end, status) in enumerate(asked)]
    for span in spans(duration, questions):
        assert 0 <= span.x <= WHOLE
        assert span.width > 0
    line = timeline(duration, questions, passages)
    if line is None:
        assert not passages
        return
    assert len(line.speakers) <= SPEAKERS
    assert len(line.marks) <= 8
    for strip in line.speakers:
        assert all(0 <= x <= WHOLE and width > 0 for x, width in boxes(strip.path))


def test_an_hour_of_talk_is_a_small_picture() -> None:
    passages = [
        passage(n, 5.0 * n, 5.0 * n + 4.5, ("Ann", "Bob")[n // 3 % 2], *["x"] * (n % 9 == 0)) for n in range(720)
    ]
    line = timeline(3600.0, [question(n, "asked", 280.0 * n, 280.0 * n + 270) for n in range(12)], passages)
    assert line is not None
    paths = [strip.path for strip in line.speakers] + [line.doubtful.path if line.doubtful else ""]
    assert sum(map(len, paths)) < 10_000


def test_months_without_a_passage_are_empty_bars() -> None:
    found = chart([("2026-03", 4), ("2026-01", 1)])
    assert found is not None
    assert [(bar.name, bar.count, bar.height) for bar in found.bars] == [
        ("January 2026", 1, 25),
        ("February 2026", 0, 0),
        ("March 2026", 4, 100),
    ]
    assert (found.bars[1].since, found.bars[1].until) == ("2026-02-01", "2026-02-28")
    assert (found.total, found.most and found.most.name) == (5, "March 2026")


def test_many_months_are_years() -> None:
    found = chart([("2019-12", 1), ("2026-01", 2), ("2026-11", 3)])
    assert found is not None
    assert [(bar.name, bar.count) for bar in found.bars] == [
        ("2019", 1), ("2020", 0), ("2021", 0), ("2022", 0), ("2023", 0), ("2024", 0), ("2025", 0), ("2026", 5),
    ]  # fmt: skip
    assert (found.bars[-1].since, found.bars[-1].until) == ("2026-01-01", "2026-12-31")


@pytest.mark.parametrize("counts", [[], [("2026-05", 3)], [("soon", 3), ("2026-05", 1)], [("2026-13", 1), ("", 2)]])
def test_one_month_is_no_chart(counts: list[tuple[str, int]]) -> None:
    assert chart(counts) is None


def test_each_bar_leads_to_its_passages() -> None:
    templates = Environment(loader=PackageLoader("pipeline.site"), autoescape=True)
    links = SimpleNamespace(search=Addresses().search)
    asked = {"q": "<b> & front door", "from": "2020-01-01", "to": None}
    macros: Any = templates.get_template("archive_chart.html").make_module({"links": links, "wording": wording})
    drawn = macros.over_time(chart([("2026-01", 1), ("2026-03", 4)]), asked)
    assert "Said in 5 episodes from January 2026 to March 2026, most in March 2026 (4)" in drawn
    assert re.findall(r'href="([^"]+)"', drawn) == [
        f"/-/search?q=%3Cb%3E+%26+front+door&amp;from=2026-0{month}-01&amp;to=2026-0{month}-31" for month in (1, 3)
    ]
    assert re.findall(r"<title>([^<]+)<", drawn) == ["January 2026: 1 episode", "March 2026: 4 episodes"]
    assert "style=" not in drawn
    assert '<svg width="7.5rem"' in drawn  # 2.5 per month, so that a few bars stay narrow


@given(st.lists(st.tuples(st.dates().map(lambda day: day.isoformat()[:7]), st.integers(1, 10_000))))
def test_a_chart_counts_everything_and_stays_small(counts: list[tuple[str, int]]) -> None:
    found = chart(counts)
    if found is not None:
        assert len(found.bars) <= 100
        assert all(0 <= bar.height <= 100 for bar in found.bars)
        recent = found.bars[0].since[:7]  # a hundred years at most
        assert found.total == sum(count for month, count in counts if month >= recent)
