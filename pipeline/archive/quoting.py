"""Reading what is said between two times of a kept file, in every wording the archive has. Formats nothing.

A quotation is identified by recording and time, not by rows, so it survives new transcriptions.
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.archive import said
from pipeline.archive.database import named_rows
from pipeline.archive.joins import MOMENT, NEWEST_FIRST, PLAYED
from pipeline.archive.listened import attributions_of, checks_of
from pipeline.archive.reading import Provenance, provenance_of, rendition
from pipeline.archive.renditions import Counterpart, passage_in
from pipeline.archive.said import Line, Piece, Stretch
from pipeline.editing.checking import overlap
from pipeline.errors import NothingQuotedError, QuotationError
from pipeline.model import Attribution, Check, Question, Rendition, Word
from pipeline.text import SAME_WORD
from pipeline.times import clock

MAX_SECONDS = 600.0
_NAME = re.compile(r"[0-9a-f]{8,64}")


@dataclass(frozen=True, slots=True)
class Wording:
    """What one transcript has at the times of a quotation; ``start`` and ``end`` are those of its words, in seconds.

    ``lines`` is empty if nothing is said there; ``flags`` are the transcript's quality flags. ``machine`` is true for
    the machine's original words where an editor has corrected them since. ``sentences`` are the start and end of the
    whole sentences that the words are from.
    """

    provenance: Provenance
    lines: tuple[Line, ...]
    start: float
    end: float
    flags: tuple[str, ...]
    sentences: tuple[float, float]
    machine: bool = False

    @property
    def text(self) -> str:
        """Return all that is said, on one line."""
        return " ".join(line.text for line in self.lines)

    @property
    def digest(self) -> str:
        """Return the short digest of the words."""
        return said.digest(self.text)

    @property
    def fingerprint(self) -> str:
        """Return what links carry: the digest of the words, and that of the names of those who say them."""
        return self.digest + said.digest("\n".join(line.speaker or "" for line in self.lines))


@dataclass(frozen=True, slots=True)
class Quotation:
    """Words of a recording, with all that a citation names.

    ``wording`` is from the transcript in force, ``others`` are differing wordings of other transcripts. ``changed`` is
    true if a link was made for different words; ``linked`` is that wording, if it is still known. ``other_speakers`` is
    true if the words are the same, and a link was made when somebody else was named. ``are_detected`` is true for
    ``questions`` that were heard, because no list was published. ``checks`` are the
    editors' checks of it, and ``checked`` tells whether they cover every word; if ``wording`` is empty, ``checks`` are
    those that found nothing said. ``attributions`` name its speakers, or a voice heard in it; ``attributed`` tells
    whether an editor listened to all of it. ``also_in`` are the ids and titles of other episodes with the same file.
    ``replaced_in`` maps each of its episodes that now plays a different file to the passage's position there, or None
    if that is unknown.
    """

    audio: Rendition
    episode: str
    title: str
    show: str
    published: str | None
    wording: Wording
    questions: tuple[Question, ...]
    are_detected: bool
    others: tuple[Wording, ...]
    changed: bool
    other_speakers: bool
    linked: Wording | None
    checks: tuple[Check, ...]
    checked: bool
    attributions: tuple[Attribution, ...]
    attributed: bool
    also_in: tuple[tuple[str, str], ...]
    replaced_in: Mapping[str, Counterpart | None]

    @property
    def cited(self) -> Wording:
        """Return the wording to cite: the one in force, unless it is now empty."""
        return _cited(self.wording, self.linked, self.others)

    @property
    def linked_episode(self) -> str | None:
        """Return the id of the episode that a link has to name, because others have the same recording."""
        return self.episode if self.also_in else None

    def second_in(self, episode: str) -> float | None:
        """Return its start in the recording that an episode's page plays, in seconds; None if it is not in that."""
        if episode not in self.replaced_in:
            return self.cited.start
        passage = self.replaced_in[episode]
        return passage.start if passage else None


def recording(connection: sqlite3.Connection, name: str) -> Rendition:
    """Return the kept file whose SHA-256 begins with ``name``.

    Args:
        connection: the archive.
        name: at least 8 hex digits, lower case.

    Raises:
        QuotationError: the name is malformed, or several files match it.
        NothingQuotedError: no file matches it.
    """
    if not _NAME.fullmatch(name):
        raise QuotationError(f"“{name}” is not a recording’s name: that has 8 to 64 of the digits 0-9 and a-f.")
    fits = connection.execute(
        "select distinct sha256 from renditions where sha256 >= ? and sha256 < ? limit 2", [name, f"{name}g"]
    ).fetchall()
    if len(fits) > 1:
        raise QuotationError(f"Several recordings have a SHA-256 that begins with {name}: give more of it.")
    found = rendition(connection, fits[0][0]) if fits else None
    if found is None:
        raise NothingQuotedError(f"This archive keeps no recording whose SHA-256 begins with {name}.")
    return found


def quotation(
    connection: sqlite3.Connection,
    name: str,
    start: float,
    end: float,
    *,
    wording: str | None = None,
    episode: str | None = None,
) -> Quotation:
    """Return what is said between two seconds of a kept file.

    Args:
        connection: the archive.
        name: the beginning of the file's SHA-256; see ``recording``.
        start: seconds.
        end: seconds; what lies after the recording's end is left out.
        wording: the ``Wording.fingerprint`` that a link was made for, or only the ``digest`` with which it begins; the
            words are also found if their start or end has moved by up to ``text.SAME_WORD`` seconds.
        episode: the id of the episode to cite, of several with the same file; by default the newest.

    Raises:
        QuotationError: the name or the times make no sense.
        NothingQuotedError: there is no such recording, it is not transcribed, or nothing is said there.
    """
    audio = recording(connection, name)
    _refuse_impossible(audio, start, end)
    end = min(end, audio.duration)
    cursor = named_rows(connection)
    words = wording[: said.DIGEST] if wording else None
    versions = [
        version
        for row in _transcripts(cursor, audio.sha256, episode)
        for version in _versions(cursor, row, start, end, words)
    ]
    if not versions:
        raise NothingQuotedError("This recording is not transcribed yet, so there are no words to quote.")
    current = versions[0]
    changed = bool(wording) and not current.matches
    linked = next((one.wording for one in versions if one.matches), None) if changed else None
    others = _others(versions, linked)
    if not (current.quoted or linked or others):
        raise NothingQuotedError(f"Nothing is said between {clock(start)} and {clock(end)}.")
    checks, checked = _checks(connection, audio.sha256, current)
    attributions, attributed = _attributions(connection, audio.sha256, current)
    episodes = _episodes(cursor, audio.sha256)
    cited = _cited(current.wording, linked, others)
    questions, are_detected = _questions(cursor, current)
    return Quotation(
        audio=audio,
        episode=current.row["episode"],
        title=current.row["title"],
        show=current.row["show"],
        published=current.row["published"],
        wording=current.wording,
        questions=questions,
        are_detected=are_detected,
        others=others,
        changed=changed,
        other_speakers=current.matches and wording not in {words, current.wording.fingerprint},
        linked=linked,
        checks=checks,
        checked=checked,
        attributions=attributions,
        attributed=attributed,
        also_in=tuple((row["id"], row["title"]) for row in episodes if row["id"] != current.row["episode"]),
        replaced_in={
            row["id"]: passage_in(connection, audio.sha256, cited.start, cited.end, row["played"])
            for row in episodes
            if row["played"] != audio.sha256
        },
    )


def _cited(wording: Wording, linked: Wording | None, others: Sequence[Wording]) -> Wording:
    return next(one for one in (wording, linked, *others) if one and one.lines)


@dataclass(frozen=True, slots=True)
class _Version:
    """One transcript's wording: the pieces ``quoted`` of those ``nearby``; ``matches`` if it is what a link quoted."""

    row: sqlite3.Row
    nearby: Sequence[Piece]
    quoted: Sequence[Piece]
    matches: bool
    wording: Wording


def _versions(
    cursor: sqlite3.Cursor, row: sqlite3.Row, start: float, end: float, wording: str | None
) -> Iterator[_Version]:
    """A transcript's wording in force, and then the machine's own, if an editor has corrected any of it."""
    for machine in (False, True):
        stretches = _stretches(cursor, row["id"], start, end, machine=machine)
        if not stretches and machine:
            return
        nearby = list(said.pieces(stretches))
        match = said.worded(nearby, start, end, wording) if wording else None
        quoted = match or said.between(nearby, start, end)
        span = _span(quoted, (start, end))
        found = Wording(
            provenance=provenance_of(row),
            lines=said.lines(quoted),
            start=span[0],
            end=span[1],
            flags=tuple(dict.fromkeys(flag for piece in quoted for flag in piece.stretch.flags)),
            sentences=_span(said.whole(nearby, quoted), span),
            machine=machine,
        )
        yield _Version(row, nearby, quoted, bool(match), found)


def _span(found: Sequence[Piece], otherwise: tuple[float, float]) -> tuple[float, float]:
    return (found[0].start, max(piece.end for piece in found)) if found else otherwise


def _others(versions: Sequence[_Version], linked: Wording | None) -> tuple[Wording, ...]:
    """What differs from the first version, each wording once."""
    current = versions[0].wording
    found: dict[str, Wording] = {}
    for version in versions[1:]:
        # The same words may be slightly shifted, or inside a segment without word times, which is quoted whole.
        same = bool(current.lines) and said.contains(said.text(version.nearby), current.text)
        if version.quoted and not same and not (linked and version.wording.digest == linked.digest):
            found.setdefault(version.wording.digest, version.wording)
    return tuple(found.values())


def _refuse_impossible(audio: Rendition, start: float, end: float) -> None:
    if end < start:
        raise QuotationError("A quotation cannot end before it begins.")
    if end - start > MAX_SECONDS:
        raise QuotationError(f"A quotation may last {MAX_SECONDS / 60:g} minutes at most: cite the whole episode.")
    if start >= audio.duration:
        raise NothingQuotedError(f"The recording ends at {clock(audio.duration)}, before {clock(start)}.")


def _transcripts(cursor: sqlite3.Cursor, sha256: str, episode: str | None) -> Sequence[sqlite3.Row]:
    """All transcripts of a file with their episodes, first the preferred one of ``episode``, or else of the newest."""
    return cursor.execute(
        f"""select t.id, t.source, t.engine, t.model, t.language, t.created, t.rendition,
            e.id as episode, e.title, e.published, f.title as show
        from renditions r
        join transcripts t on t.episode = r.episode and t.rendition = r.sha256
        join episodes e on e.id = r.episode
        join feeds f on f.slug = e.feed
        where r.sha256 = ?
        order by t.preferred desc, e.id is ? desc, {MOMENT} desc, t.source = 'whisper' desc,
            t.created desc, t.id desc""",
        [sha256, episode],
    ).fetchall()


def _stretches(
    cursor: sqlite3.Cursor, transcript: int, start: float, end: float, *, machine: bool
) -> Sequence[Stretch]:
    """The segments there as in force; with ``machine`` as the machine heard them, or none if none was corrected."""
    rows = cursor.execute(
        """select s.start, s."end", s.text, s.speaker, p.role as standing, s.role,
            s.questions, s.flags, s.words, s.machine, s.attributed
        from segments s
        left join speakers p on p.transcript = s.transcript and p.label = s.speaker
        where s.transcript = ? and s."end" >= ? and s.start <= ? order by s.n""",
        [transcript, start - SAME_WORD, end + SAME_WORD],
    ).fetchall()
    if machine and not any(row["machine"] for row in rows):
        return ()
    return tuple(_stretch(row, json.loads(row["machine"] or "{}") if machine else {}) for row in rows)


def _stretch(row: sqlite3.Row, instead: Mapping[str, Any]) -> Stretch:
    speaker = instead.get("speaker", row["speaker"])
    return Stretch(
        start=instead.get("start", row["start"]),
        end=instead.get("end", row["end"]),
        text=instead.get("text", row["text"]),
        speaker=speaker,
        standing=row["standing"] if speaker == row["speaker"] else None,
        role=row["role"],
        questions=tuple(json.loads(row["questions"])),
        flags=tuple(instead.get("flags", json.loads(row["flags"]))),
        words=tuple(Word(*word) for word in instead.get("words", json.loads(row["words"]))),
        attributed=None if instead else row["attributed"],
    )


def _checks(connection: sqlite3.Connection, sha256: str, version: _Version) -> tuple[tuple[Check, ...], bool]:
    """The checks of its words, and whether they cover all; if it is empty, the checks that found nothing said."""
    if not version.quoted:
        return tuple(
            check for check in checks_of(connection, sha256) if not check.text and overlap(check, version.wording)
        ), False
    middles = [(piece.start + piece.end) / 2 for piece in version.quoted]
    checks = [
        (check, {n for n, middle in enumerate(middles) if check.start <= middle <= check.end})
        for check in checks_of(connection, sha256)
    ]
    covered = set().union(*(words for _, words in checks))
    return tuple(check for check, words in checks if words), len(covered) == len(middles)


def _attributions(
    connection: sqlite3.Connection, sha256: str, version: _Version
) -> tuple[tuple[Attribution, ...], bool]:
    """What persons have said of who speaks in it, the oldest first, and whether they listened to all of it."""
    by = {piece.stretch.attributed for piece in version.quoted}
    found = {one.id: one for one in attributions_of(connection, sha256) if one.id in by}

    def is_heard(piece: Piece) -> bool:
        said_so = found.get(piece.stretch.attributed or 0)
        return said_so is not None and (not said_so.everywhere or overlap(said_so, piece))

    return tuple(found.values()), bool(found) and all(map(is_heard, version.quoted))


def _questions(cursor: sqlite3.Cursor, version: _Version) -> tuple[tuple[Question, ...], bool]:
    """The questions of the list that are asked or answered in it, and whether the list was detected, not published."""
    numbers = sorted({number for piece in version.quoted for number in piece.stretch.questions})
    marks = ", ".join("?" * len(numbers))
    rows = cursor.execute(
        f"select number, text, source from questions where episode = ? and number in ({marks}) order by number",
        [version.row["episode"], *numbers],
    ).fetchall()
    are_detected = any(row["source"] == "detected" for row in rows)
    return tuple(Question(row["number"], row["text"]) for row in rows), are_detected


def _episodes(cursor: sqlite3.Cursor, sha256: str) -> Sequence[sqlite3.Row]:
    """The episodes that came with a file, and which file their pages play: that of the transcript in force."""
    return cursor.execute(
        f"""select e.id, e.title, r.sha256 as played from episodes e {PLAYED}
        where e.id in (select episode from renditions where sha256 = ?) order by {NEWEST_FIRST}""",
        [sha256],
    ).fetchall()
