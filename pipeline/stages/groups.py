"""Put the questions of all episodes into groups that ask alike, once the last one is aligned."""

from __future__ import annotations

from itertools import groupby

from pipeline.align.alike import leaders
from pipeline.archive.questions.groups import grouped, listed, save_groups
from pipeline.stages import Tools


def group_questions(tools: Tools) -> None:
    """Regroup all questions if any were added or removed. Does nothing without sentence vectors."""
    questions = listed(tools.db)
    ids = [question for question, _, _ in questions]
    if tools.encode is None or (grouped(tools.db) == set(ids) and not tools.again):
        return
    lists = [[text for _, _, text in some] for _, some in groupby(questions, key=lambda question: question[1])]
    found = [leader for some in leaders(map(tools.encode, lists)) for leader in some]
    save_groups(tools.db, {question: ids[leader] for question, leader in zip(ids, found, strict=True)})
