"""Storing an episode's question list: a question keeps its id as long as it keeps its text."""

from __future__ import annotations

import hashlib
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple

from rapidfuzz.distance import OSA
from sqlite_utils import Database

from pipeline.archive.questions.labels import relabel
from pipeline.model import Question, Segment
from pipeline.text import timed_words

_LONG = 4  # letters; in words this long, one different letter is more likely a typo than a different word
_BETWEEN = re.compile(r"[\s\-–—/]+")


def published_lists(db: Database, feed: str) -> Mapping[str, tuple[Question, ...]]:
    """Return the list that each episode of a feed has from its notes, in order; empty where it has none."""
    rows = db.execute(
        """select q.episode, q.number, q.text, q.stated from questions q join episodes e on e.id = q.episode
           where e.feed = ? and q.number is not null and q.source = 'notes' order by q.episode, q.number""",
        [feed],
    )
    lists: defaultdict[str, tuple[Question, ...]] = defaultdict(tuple)
    for episode, *question in rows:
        lists[episode] += (Question(*question),)
    return lists


def read_questions(db: Database, episode: str, *, detected: bool = False) -> tuple[Question, ...]:
    """Return an episode's published questions in order; with ``detected``, those found in the transcript instead."""
    rows = db.execute(
        """select number, text, stated from questions
           where episode = ? and number is not null and (source = 'detected') = ? order by number""",
        [episode, detected],
    )
    return tuple(Question(*row) for row in rows)


def save_questions(db: Database, episode_id: str, questions: Iterable[Question], *, source: str = "notes") -> int:
    """Store an episode's question list, replacing the previous one; return how many corrected questions it has lost.

    A question keeps its id, matches and corrections as long as its text stays the same, apart from a corrected typo
    (punctuation, quotes, one letter).

    An id is ``<episode id>/q<8 hex of the text's hash>``, so when the publisher inserts a question, the others do not
    inherit the matches or corrections of their new numbers.
    """
    known = {row[0]: tuple(row[1:]) for row in db.execute(
        "select id, number, text, stated, source from questions where episode = ?", [episode_id]
    )}  # fmt: skip
    lost = 0
    listed = _by_id(episode_id, questions, {id_: text for id_, (_, text, *_) in known.items()})
    if known == {key: (*astuple(question), source) for key, question in listed.items()}:
        return lost
    for gone in known.keys() - listed.keys():
        for table in ("matches", "follow_ups", "matches_in_force"):
            db.execute(f"delete from {table} where question = ?", [gone])
        # A corrected question stays, out of the list: somebody's work is never thrown away.
        corrected = db.execute("select 1 from corrections where question = ?", [gone]).fetchone()
        lost += corrected is not None and known[gone][0] is not None
        db.execute("update questions set number = null where id = ?" if corrected else
                   "delete from questions where id = ?", [gone])  # fmt: skip
    db.execute("update questions set number = null where episode = ?", [episode_id])  # numbers may change places
    for key, question in listed.items():
        db.execute(
            """insert into questions (id, episode, number, text, stated, source) values (?, ?, ?, ?, ?, ?)
               on conflict (id) do update set
               number = excluded.number, text = excluded.text, stated = excluded.stated, source = excluded.source""",
            [key, episode_id, *astuple(question), source],
        )
    db.execute(
        "delete from alignments where transcript in (select id from transcripts where episode = ?)", [episode_id]
    )
    relabel(db, episode_id)  # by the numbers that questions have now
    return lost


def reword_detected(db: Database, episode: str, before: Sequence[Segment], after: Sequence[Segment]) -> None:
    """Give questions that were heard the words of the transcript in force, where an editor has changed these.

    Args:
        db: the database.
        episode: the episode's id.
        before: the segments of its transcript, as they were in force until now.
        after: as they are now.
    """
    rows = db.execute(
        """select q.id, q.text, m.start, m."end" from questions q join matches_in_force m on m.question = q.id
           where q.episode = ? and q.source = 'detected' and m.start is not null and m."end" is not null""",
        [episode],
    ).fetchall()
    for id_, text, start, end in rows:
        was, now = _said(before, start, end), _said(after, start, end)
        if was == text and now and now != was:
            db.execute("update questions set text = ? where id = ?", [now, id_])


def _said(segments: Sequence[Segment], start: float, end: float) -> str:
    words = (word for segment in segments for word in timed_words(segment))
    return " ".join(word.text.strip() for word in words if start <= (word.start + word.end) / 2 <= end)


def _by_id(episode_id: str, questions: Iterable[Question], known: Mapping[str, str]) -> dict[str, Question]:
    """The questions by id, in list order; ``known`` maps the ids of the episode's stored questions to their texts."""
    listed: dict[str, Question] = {}
    for question in questions:
        key = _question_id(episode_id, question.text)
        listed[f"{key}-{question.number}" if key in listed else key] = question  # the same text twice is two questions
    gone = {id_: text for id_, text in known.items() if id_ not in listed}
    fitting = {
        key: [id_ for id_, text in gone.items() if _is_the_same(text, question.text)]
        for key, question in listed.items()
        if key not in known
    }
    shared = Counter(id_ for ids in fitting.values() for id_ in ids)
    kept = {key: ids[0] for key, ids in fitting.items() if len(ids) == 1 and shared[ids[0]] == 1}
    return {kept.get(key, key): question for key, question in listed.items()}


def _question_id(episode_id: str, text: str) -> str:
    words = " ".join(text.casefold().split())
    return f"{episode_id}/q{hashlib.sha256(words.encode()).hexdigest()[:8]}"


def _is_the_same(one: str, other: str) -> bool:
    """Tell whether two texts have the same words, allowing one wrong letter in long words; figures must agree."""
    words, others = _words(one), _words(other)
    return len(words) == len(others) and all(
        a == b or (min(len(a), len(b)) >= _LONG and f"{a}{b}".isalpha() and OSA.distance(a, b, score_cutoff=1) == 1)
        for a, b in zip(words, others, strict=True)
    )


def _words(text: str) -> list[str]:
    bare = ("".join(filter(str.isalnum, word)) for word in _BETWEEN.split(text.casefold()))
    return [word for word in bare if word]
