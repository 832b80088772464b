"""An episode's recordings in the database: which is current, and translating times from one to another."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from heapq import heappop, heappush
from itertools import count

from sqlite_utils import Database

from pipeline.archive.database import immediate, made, named_rows
from pipeline.archive.questions.labels import relabel
from pipeline.archive.rendition_choice import Choice
from pipeline.errors import CorrectionError
from pipeline.model import Comparison, Fetch, KeptAudio, Piece, Rendition, Verdict
from pipeline.text import WORD_EDGE

_FIRST = Choice(True, "the first that was kept")


@dataclass(frozen=True, slots=True)
class KeptRendition:
    """A recording of an episode; ``comparisons`` are those with earlier ones."""

    sha256: str
    fetched_at: str
    duration: float
    bytes: int
    current: bool
    transcribed: bool
    comparisons: tuple[Comparison, ...]


@dataclass(frozen=True, slots=True)
class Chosen:
    """A choice that was recorded; ``chosen_by`` is None where it was made by rule."""

    rendition: str
    reason: str
    chosen_by: str | None
    chosen_at: str


@dataclass(frozen=True, slots=True)
class Counterpart:
    """The position of a passage in another recording, in seconds; None if none of it is there.

    ``whole`` tells whether all of it is there in one piece.
    """

    start: float | None
    end: float | None
    whole: bool


def save_rendition(
    db: Database, episode: str, audio: KeptAudio, *, choice: Choice = _FIRST, comparison: Comparison | None = None
) -> None:
    """Store a kept file, its comparison with the current one, and the choice which of them is current."""
    with immediate(db):
        before = current_rendition(db, episode)
        db.execute(
            """insert into renditions
               (sha256, episode, url, final_url, bytes, content_type, duration, fetched_at, path,
                redirects, etag, last_modified, current)
               values (:sha256, :episode, :url, :final_url, :bytes, :content_type, :duration, :fetched_at, :path,
                :redirects, :etag, :last_modified, 0)
               on conflict (sha256, episode) do update
               set path = excluded.path, etag = excluded.etag, last_modified = excluded.last_modified""",
            {**asdict(audio), "redirects": json.dumps(audio.redirects), "episode": episode},
        )
        if comparison:
            _save_comparison(db, episode, comparison, audio.fetched_at)
        if before is None or before.sha256 != audio.sha256:
            counts = audio.sha256 if choice.replaces or before is None else before.sha256
            _choose(db, episode, counts, choice.reason, None, audio.fetched_at)


def fetches(db: Database, episode: str) -> list[Fetch]:
    """Return how each rendition of an episode was fetched, newest first."""
    rows = db.execute(
        """select sha256, offer, url, etag, last_modified from renditions where episode = ?
           order by fetched_at desc, current desc""",
        [episode],
    )
    return [Fetch(*row) for row in rows]


def save_offer(db: Database, episode: str, sha256: str, offer: str) -> None:
    """Record that a rendition is what the feed offers; ``offer`` is the offer's key."""
    with immediate(db):
        db.execute("update renditions set offer = ? where episode = ? and sha256 = ?", [offer, episode, sha256])


def current_rendition(db: Database, episode: str) -> Rendition | None:
    """Return an episode's current recording, if there is one."""
    found = db.execute(
        "select sha256, path, bytes, content_type, duration from renditions where episode = ? and current = 1",
        [episode],
    ).fetchone()
    return Rendition(*found) if found else None


def choose_rendition(db: Database, episode: str, name: str, *, reason: str, chosen_by: str, now: str) -> str:
    """Make a recording the current one by an editor's choice; return its sha256.

    Args:
        db: the database.
        episode: the episode's id.
        name: the beginning of the recording's sha256.
        reason: why.
        chosen_by: the editor; the automatic rule no longer applies after that.
        now: the moment, UTC ISO 8601.

    Raises:
        CorrectionError: the episode has no such recording, or several.
    """
    with immediate(db):
        known = [str(row[0]) for row in db.execute("select sha256 from renditions where episode = ?", [episode])]
        fits = [sha256 for sha256 in known if name and sha256.startswith(name.lower())]
        if len(fits) != 1:
            which = "several recordings that begin" if fits else "no recording that begins"
            raise CorrectionError(f"choose: {episode} has {which} with “{name}”")
        _choose(db, episode, fits[0], reason, chosen_by, now)
        return fits[0]


def use_again(db: Database, episode: str, sha256: str, *, now: str) -> bool:
    """Make a recording current again that the feed offers again, and tell whether that was done.

    It is done if that recording was current before, and no person ever chose: a publisher's mistake that is put right
    is put right here, too.
    """
    with immediate(db):
        was_current = db.execute(
            """select 1 from rendition_choices c join renditions r on r.episode = c.episode and r.sha256 = c.rendition
               where c.episode = ? and c.rendition = ? and not r.current""",
            [episode, sha256],
        ).fetchone()
        if was_current is None or chosen_by(db, episode) is not None:
            return False
        _choose(db, episode, sha256, "the feed offers it again", None, now)
        return True


def chosen_by(db: Database, episode: str) -> str | None:
    """Return who last chose an episode's recording; None where nobody ever did."""
    found = db.execute(
        "select chosen_by from rendition_choices where episode = ? and chosen_by is not null order by id desc limit 1",
        [episode],
    ).fetchone()
    return found[0] if found else None


def several(connection: sqlite3.Connection) -> tuple[str, ...]:
    """Return the ids of the episodes that have more than one recording."""
    rows = connection.execute("select episode from renditions group by episode having count(*) > 1 order by episode")
    return tuple(row[0] for row in rows)


def renditions_of(connection: sqlite3.Connection, episode: str) -> tuple[KeptRendition, ...]:
    """Return an episode's recordings in the order in which they came."""
    comparisons = tuple(_comparisons(connection, episode))
    rows = named_rows(connection).execute(
        """select sha256, fetched_at, duration, bytes, current, exists (
               select 1 from transcripts where episode = r.episode and rendition = r.sha256 and source = 'whisper'
           ) as transcribed
           from renditions r where episode = ? order by fetched_at, rowid""",
        [episode],
    )
    return tuple(
        made(
            KeptRendition,
            row,
            "current",
            "transcribed",
            comparisons=tuple(one for one in comparisons if one.new == row["sha256"]),
        )
        for row in rows
    )


def choices(connection: sqlite3.Connection, episode: str) -> tuple[Chosen, ...]:
    """Return the history of which recording was current, newest choice first."""
    rows = named_rows(connection).execute(
        "select rendition, reason, chosen_by, chosen_at from rendition_choices where episode = ? order by id desc",
        [episode],
    )
    return tuple(Chosen(**dict(row)) for row in rows)


def translate(connection: sqlite3.Connection, origin: str, second: float, target: str) -> float | None:
    """Translate a time of one recording to another.

    Recordings that were never compared directly are reached through others.

    Args:
        connection: the archive.
        origin: the sha256 of the recording that the time is of.
        second: the time.
        target: the sha256 of the other one.

    Returns:
        Seconds; None if that moment is not in the other one, or no chain of comparisons connects the two.
    """
    found = passage_in(connection, origin, second, second, target)
    return found.start if found else None


def passage_in(
    connection: sqlite3.Connection, origin: str, start: float, end: float, target: str
) -> Counterpart | None:
    """Return the position of a passage in another recording; None if no chain of comparisons connects the two.

    Of several chains, one that preserves the whole passage is preferred, then the shortest.
    """
    passage = Counterpart(start, end, whole=True)
    if origin == target:
        return passage
    # Best-first search: chains that lose nothing come first, then short ones. Each recording is expanded only once: a
    # feed that offers the same files for many episodes has exponentially many chains.
    tried = count()  # tie-breaker: passages are not comparable
    waiting = [(0, 0, next(tried), origin, passage)]
    left: set[str] = set()
    while waiting:
        _, length, _, here, passage = heappop(waiting)
        if here == target:
            return passage
        if here in left:
            continue
        left.add(here)
        for there, pieces in _neighbours(connection, here):
            moved = _moved(pieces, passage)
            heappush(waiting, (_lost(moved), length + 1, next(tried), there, moved))
    return None


def sound_besides(connection: sqlite3.Connection, origin: str, target: str) -> tuple[tuple[float, float], ...] | None:
    """Return the stretches of ``target`` (seconds) with sound that is not in ``origin``.

    None if the two were never compared, or have hardly anything in common.
    """
    rows = connection.execute(
        """select added from rendition_comparisons where old = :origin and new = :target and verdict != 'other'
           union select gone from rendition_comparisons where new = :origin and old = :target and verdict != 'other'""",
        {"origin": origin, "target": target},
    ).fetchall()
    return min((_stretches(row[0]) for row in rows), key=len, default=None)


def _lost(passage: Counterpart) -> int:
    """How much of a passage is lost: 0 nothing, 1 something, 2 all."""
    return 0 if passage.whole else 1 if passage.start is not None else 2


def _moved(pieces: Sequence[Piece], passage: Counterpart) -> Counterpart:
    start, end = passage.start, passage.end
    if start is None or end is None:
        return passage
    shares = {piece: min(end, piece.old_end) - max(start, piece.old_start) for piece in pieces}
    holding = [
        piece
        for piece, share in shares.items()
        if piece.old_start - WORD_EDGE <= start
        and end <= piece.old_end + WORD_EDGE
        and (start == end or share >= (end - start) / 2)
    ]
    if holding:
        best = max(holding, key=lambda piece: (shares[piece], piece))
        return Counterpart(_at(best, start), _at(best, end), passage.whole)
    parts = [piece for piece, share in shares.items() if share > WORD_EDGE]
    if not parts:
        return Counterpart(None, None, whole=False)
    return Counterpart(_at(parts[0], start), _at(parts[-1], end), whole=False)


def _at(piece: Piece, second: float) -> float:
    """Map a time into the new recording, clamped to the piece so that the mapping stays monotonic."""
    return round(piece.new_start + min(max(second, piece.old_start), piece.old_end) - piece.old_start, 3)


def _neighbours(connection: sqlite3.Connection, sha256: str) -> Iterator[tuple[str, list[Piece]]]:
    """The recordings that one was compared with, and the pieces that are in both, by the times of this one first."""
    rows = connection.execute(
        """select new, 0, min(episode) from rendition_comparisons where old = :this group by new
           union all select old, 1, min(episode) from rendition_comparisons where new = :this group by old""",
        {"this": sha256},
    ).fetchall()
    for other, inverse, episode in rows:
        pair = (other, sha256) if inverse else (sha256, other)
        pieces = _pieces(connection, episode, *pair)
        if inverse:
            pieces = [Piece(to, to + end - start, start) for start, end, to in pieces]
        yield other, pieces


def _pieces(connection: sqlite3.Connection, episode: str, old: str, new: str) -> list[Piece]:
    rows = connection.execute(
        """select old_start, old_end, new_start from renditions_map where episode = ? and old = ? and new = ?
           order by old_start""",
        [episode, old, new],
    )
    return [Piece(*row) for row in rows]


def _comparisons(connection: sqlite3.Connection, episode: str) -> Iterator[Comparison]:
    rows = connection.execute(
        "select old, new, verdict, gone, added from rendition_comparisons where episode = ? order by compared_at, old",
        [episode],
    ).fetchall()
    for old, new, verdict, gone, added in rows:
        kind: Verdict = verdict
        yield Comparison(
            old, new, kind, tuple(_pieces(connection, episode, old, new)), _stretches(gone), _stretches(added)
        )


def _stretches(text: str) -> tuple[tuple[float, float], ...]:
    return tuple((start, end) for start, end in json.loads(text))


def _save_comparison(db: Database, episode: str, found: Comparison, now: str) -> None:
    db.execute("delete from renditions_map where episode = ? and old = ? and new = ?", [episode, found.old, found.new])
    db.execute(
        """insert into rendition_comparisons (episode, old, new, verdict, gone, added, compared_at)
           values (?, ?, ?, ?, ?, ?, ?)
           on conflict (episode, old, new) do update set verdict = excluded.verdict, gone = excluded.gone,
               added = excluded.added, compared_at = excluded.compared_at""",
        [episode, found.old, found.new, found.verdict, json.dumps(found.gone), json.dumps(found.added), now],
    )
    db.conn.executemany(
        "insert into renditions_map (episode, old, new, old_start, old_end, new_start) values (?, ?, ?, ?, ?, ?)",
        ((episode, found.old, found.new, *piece) for piece in found.pieces),
    )


def _choose(db: Database, episode: str, sha256: str, reason: str, by: str | None, now: str) -> None:
    db.execute(
        "insert into rendition_choices (episode, rendition, reason, chosen_by, chosen_at) values (?, ?, ?, ?, ?)",
        [episode, sha256, reason, by, now],
    )
    db.execute("update renditions set current = 0 where episode = ? and sha256 != ?", [episode, sha256])
    db.execute("update renditions set current = 1 where episode = ? and sha256 = ?", [episode, sha256])
    relabel(db, episode)  # until it is transcribed, corrections refer to the current recording
