"""Grouping similar questions: by meaning, and never two of one episode."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlite_utils import Database

from pipeline.align.alike import ALIKE, leaders
from pipeline.align.meaning import DIMENSIONS, Vectors, encoded
from pipeline.archive.questions.groups import grouped
from pipeline.config import Config, Feed
from pipeline.runs.ingest import ingest
from pipeline.stages import Tools
from pipeline.stages.groups import group_questions
from tests.support.building import add_feed, episode

HIRING = "What was the hiring like when you joined?", "What drew you to your employer, and how were you hired?"


def vectors(*directions: Sequence[float]) -> Vectors:
    whole = np.zeros((len(directions), DIMENSIONS), np.float32)
    whole[:, :2] = np.reshape(directions, (-1, 2))
    return whole


def test_a_question_joins_the_group_it_is_most_alike() -> None:
    assert leaders([vectors([1, 0], [0, 1]), vectors([0.9, 0.3]), vectors([-1, 0], [0.1, 3])]) == [[0, 1], [0], [3, 1]]


def test_two_questions_of_one_episode_are_never_alike() -> None:
    assert leaders([vectors([1, 0], [1, 0])]) == [[0, 1]]
    assert leaders([vectors([1, 0]), vectors([0.9, 0.4], [1, 0.01])]) == [[0], [1, 0]]  # the more similar one joins


some = st.lists(st.tuples(st.floats(-1, 1, width=16), st.floats(-1, 1, width=16)), max_size=4)


@given(st.lists(some, max_size=6))
def test_groups_hold_for_all_questions(lists: list[list[tuple[float, float]]]) -> None:
    given_lists = [vectors(*one) for one in lists]
    found = leaders(given_lists)
    flat = [leader for group in found for leader in group]
    everything = np.concatenate([*given_lists, np.zeros((0, DIMENSIONS), np.float32)])
    unit = everything / np.linalg.norm(everything, axis=1, keepdims=True).clip(1e-9)
    for n, leader in enumerate(flat):
        assert flat[leader] == leader <= n
        assert leader == n or unit[leader] @ unit[n] >= ALIKE - 1e-5
    assert all(len(set(group)) == len(group) for group in found)
    assert leaders(given_lists[:3]) == found[:3]  # later questions change nothing


def test_questions_in_other_words_are_found_alike(archive: Database, make_tools: Callable[..., Tools]) -> None:
    add_feed(
        archive,
        "show",
        episode(
            "late", published="2026-05-01T00:00:00Z", questions=[HIRING[0], "Where do you see testing in ten years?"]
        ),
        episode("early", published="2026-04-01T00:00:00Z", questions=["Who pays for it?", HIRING[1]]),
    )
    group_questions(make_tools(encode=encoded))
    groups = dict(
        archive.execute("select q.text, g.leader from question_groups g join questions q on q.id = g.question")
    )
    assert groups[HIRING[0]] == groups[HIRING[1]]
    assert len(set(groups.values())) == 3
    (leader,) = archive.execute("select id from questions where text = ?", [HIRING[1]]).fetchone()
    assert groups[HIRING[0]] == leader  # that of the older episode


def test_groups_are_made_anew_only_when_questions_come_or_go(
    archive: Database, make_tools: Callable[..., Tools]
) -> None:
    calls: list[Sequence[str]] = []

    def encode(texts: Sequence[str]) -> Vectors:
        calls.append(texts)
        return vectors(*[[1, 0]] * len(texts))

    tools = make_tools(encode=encode)
    add_feed(archive, "show", episode("one", questions=["What now?"]))
    for _ in range(2):
        group_questions(tools)
    assert calls == [["What now?"]]
    group_questions(make_tools(encode=encode, again=True))
    assert len(calls) == 2
    add_feed(archive, "show", episode("one", questions=["What then?"]))
    group_questions(tools)
    assert len(calls) == 3
    assert len(grouped(archive)) == 1


@pytest.mark.parametrize(("stage", "groups"), [("align", 1), ("poll", 0)])
def test_a_run_that_aligns_groups_at_its_end(
    archive: Database, make_tools: Callable[..., Tools], stage: Any, groups: int
) -> None:
    add_feed(archive, "show", episode("one", questions=["What now?"]))
    tools = make_tools(encode=lambda texts: vectors(*[[1, 0]] * len(texts)))
    config = Config(feeds=[Feed(slug="show", title="Show", url="https://example.org/x", enabled=False)])
    ingest(config, tools, stages=(stage,))
    assert len(grouped(archive)) == groups


def test_without_sentence_vectors_there_are_no_groups(archive: Database, make_tools: Callable[..., Tools]) -> None:
    add_feed(archive, "show", episode("one", questions=["What now?"]))
    group_questions(make_tools())
    assert grouped(archive) == set()
