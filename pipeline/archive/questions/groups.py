"""Reading groups of similar questions across episodes, with the beginning of each answer."""

from __future__ import annotations

import json
import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlite_utils import Database

from pipeline.archive.database import immediate, named_rows
from pipeline.archive.joins import NEWEST_FIRST
from pipeline.archive.questions.asked import ListedQuestion, questions_of
from pipeline.archive.tokens import folded_words
from pipeline.text import shortened

ANSWER = 260  # characters of an answer that are shown: about 40 words
_PASSAGES = 12  # of an answer, more than enough for that


@dataclass(frozen=True, slots=True)
class Filter:
    """A filter for questions; ``text`` must be in one question of a group, ``like`` is the id of a group's leader."""

    text: str = ""
    feed: str | None = None
    status: str | None = None
    like: str | None = None

    def sql(self) -> tuple[str, dict[str, str | None]]:
        """Return SQL conditions on ``e`` (episodes), ``t`` (``question_times``) and ``leader``, and their values."""
        conditions = {"feed": "e.feed = :feed", "status": "t.status = :status", "like": "leader = :like"}
        values = {"feed": self.feed, "status": self.status, "like": self.like}
        return "".join(f" and {sql}" for name, sql in conditions.items() if values[name]), values

    def holds(self, texts: Iterable[str]) -> bool:
        """Tell whether one of these texts has, for each word of ``text``, one that begins so."""
        wanted = [word for word, _, _ in folded_words(self.text)]
        if not wanted:
            return not self.text
        said = ([word for word, _, _ in folded_words(text)] for text in texts)
        return any(all(any(one.startswith(word) for one in words) for word in wanted) for words in said)


@dataclass(frozen=True, slots=True)
class Answer:
    """How the answer to a question begins; ``start`` in seconds, ``flags`` and ``checked`` as of a search's hit."""

    start: float
    speaker: str | None
    text: str
    flags: tuple[str, ...] = ()
    checked: bool = False


@dataclass(frozen=True, slots=True)
class Asked:
    """A published question, where it was put, and how it was answered."""

    question: ListedQuestion
    episode: str
    title: str
    show: str
    published: str | None
    language: str | None
    answer: Answer | None


@dataclass(frozen=True, slots=True)
class Alike:
    """A group of similar questions, newest first; ``size`` counts all of them, ``questions`` may be a page of them."""

    id: str
    size: int
    questions: tuple[Asked, ...]


@dataclass(frozen=True, slots=True)
class Groups:
    """A page of groups, largest first; ``questions`` is the number of questions in all ``total`` groups."""

    groups: tuple[Alike, ...]
    total: int
    questions: int


def groups(
    connection: sqlite3.Connection, wanted: Filter, *, page: int, size: int, members: int, member_page: int = 1
) -> Groups:
    """Return the questions that match a filter, in groups of similar ones.

    Args:
        connection: an open archive.
        wanted: which questions.
        page: of groups, counts from 1.
        size: groups a page.
        members: questions of a group at most.
        member_page: of the questions of each group, counts from 1.
    """
    conditions, values = wanted.sql()
    rows = connection.execute(
        f"""select coalesce((select leader from question_groups where question = q.id), q.id) as leader, q.id,
            q.episode, q.text
        from questions q
        join episodes e on e.id = q.episode
        {"join question_times t on t.question = q.id" if wanted.status else ""}
        where q.number is not null{conditions} order by {NEWEST_FIRST}, q.number""",
        values,
    )
    alike: defaultdict[str, list[tuple[str, str, str]]] = defaultdict(list)
    for leader, *question in rows:
        alike[leader].append((question[0], question[1], question[2]))
    found = {leader: some for leader, some in alike.items() if wanted.holds(text for _, _, text in some)}
    # The largest first; those of one size stay in order of their newest question.
    ordered = sorted(found.items(), key=lambda group: -len(group[1]))
    shown = {
        leader: [(id_, episode) for id_, episode, _ in some[(member_page - 1) * members : member_page * members]]
        for leader, some in ordered[(page - 1) * size : page * size]
    }
    asked = _asked(connection, [one for some in shown.values() for one in some])
    return Groups(
        tuple(
            Alike(leader, len(found[leader]), tuple(asked[id_] for id_, _ in some)) for leader, some in shown.items()
        ),
        len(found),
        sum(map(len, found.values())),
    )


def listed(db: Database) -> tuple[tuple[str, str, str], ...]:
    """Return the id, episode and text of every question of a list, the oldest episode first."""
    rows = db.execute(
        """select q.id, q.episode, q.text from questions q join episodes e on e.id = q.episode
        where q.number is not null order by datetime(e.published), e.id, q.number"""
    )
    return tuple(rows.fetchall())


def grouped(db: Database) -> set[str]:
    """Return the ids of the questions whose groups are known."""
    return {row[0] for row in db.execute("select question from question_groups")}


def save_groups(db: Database, leaders: Mapping[str, str]) -> None:
    """Replace all groups; ``leaders`` maps each question's id to that of the oldest question of its group."""
    with immediate(db):
        db.execute("delete from question_groups")
        db.conn.executemany("insert into question_groups (question, leader) values (?, ?)", leaders.items())


def _asked(connection: sqlite3.Connection, ids: Iterable[tuple[str, str]]) -> dict[str, Asked]:
    """The questions with their answers, by id; ``ids`` are pairs of question id and episode id."""
    wanted = dict(ids)
    known = {one.question: one for some in questions_of(connection, wanted.values()).values() for one in some}
    cursor = named_rows(connection)
    episodes = {
        episode: cursor.execute(
            """select e.id as episode, e.title, f.title as show, e.published, t.id as transcript, t.language
            from episodes e
            join feeds f on f.slug = e.feed
            left join transcripts t on t.episode = e.id and t.preferred = 1
            where e.id = ?""",
            [episode],
        ).fetchone()
        for episode in set(wanted.values())
    }
    found = {}
    for id_, episode in wanted.items():
        facts = dict(episodes[episode])
        answer = _answer(cursor, facts.pop("transcript"), known[id_])
        found[id_] = Asked(question=known[id_], answer=answer, **facts)
    return found


def _answer(cursor: sqlite3.Cursor, transcript: int | None, question: ListedQuestion) -> Answer | None:
    """The beginning of an answer: the first uninterrupted passages of one speaker."""
    if question.start is None:
        return None
    rows = cursor.execute(
        """select s.n, s.start, s.text, s.speaker, s.flags, s.checked
        from segments s
        where s.transcript = ? and s.role = 'answer' and s.text != '' and s.start >= ?
            and exists (select 1 from json_each(s.questions) where value = ?)
        order by s.n limit ?""",
        [transcript, question.start, question.number, _PASSAGES],
    ).fetchall()
    if not rows:
        return None
    text, shown = "", list[sqlite3.Row]()
    for place, row in enumerate(rows):
        if row["n"] != rows[0]["n"] + place or row["speaker"] != rows[0]["speaker"] or len(text) > ANSWER:
            break
        text += f" {row['text']}"
        shown.append(row)
    return Answer(
        start=rows[0]["start"],
        speaker=rows[0]["speaker"],
        text=shortened(text, ANSWER),
        flags=tuple(dict.fromkeys(flag for row in shown for flag in json.loads(row["flags"]))),
        checked=all(row["checked"] for row in shown),
    )
