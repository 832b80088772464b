"""Storing and reading transcripts, segments and matches; each episode is written in one transaction."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, NamedTuple

from sqlite_utils import Database

from pipeline.archive.database import immediate, made, named_rows
from pipeline.archive.joins import SPEAKING
from pipeline.archive.preferred import preferred_transcript
from pipeline.archive.questions.labels import relabel
from pipeline.archive.segments import heard, index, restate, unindex
from pipeline.archive.voices import machine_speakers, save_speakers
from pipeline.model import Segment, Speaker, Transcript


class Settings(NamedTuple):
    """The settings a transcript was made with, as feeds.yaml gave them.

    ``weights`` identifies the model's weights; None if the transcript is from a version that did not record it.
    """

    language: str
    vocabulary: Sequence[str]
    speakers: int | None
    weights: str | None


@dataclass(frozen=True, slots=True)
class TranscriptSearch:
    """The last search for an episode's publisher's transcript; the columns of ``transcript_searches``."""

    episode: str
    offered: str
    searched_at: str
    failed: bool


def transcript_settings(db: Database, episode: str, sha256: str, *, engine: str, model: str) -> Settings | None:
    """Return the preferred transcript's settings, if it was made from this file by this engine and model."""
    found = db.execute(
        """select language, options from transcripts
           where episode = ? and rendition = ? and engine = ? and model = ? and preferred = 1""",
        [episode, sha256, engine, model],
    ).fetchone()
    if not found:
        return None
    options = json.loads(found[1])
    asked = options.get("language", found[0]), options.get("vocabulary", []), options.get("speakers")
    return Settings(*asked, weights=options.get("weights"))


def published_transcript(db: Database, episode: str, sha256: str) -> int | None:
    """Return the id of the publisher's transcript of an episode's file, if there is one."""
    found = db.execute(
        "select max(id) from transcripts where episode = ? and rendition = ? and source = 'publisher'",
        [episode, sha256],
    ).fetchone()
    return found[0] if found else None


def last_search(db: Database, episode: str) -> TranscriptSearch | None:
    """Return an episode's last search, if there was one."""
    row = named_rows(db.conn).execute("select * from transcript_searches where episode = ?", [episode]).fetchone()
    return made(TranscriptSearch, row, "failed") if row else None


def save_search(db: Database, search: TranscriptSearch) -> None:
    """Store a search, replacing the episode's previous one."""
    db.table("transcript_searches").insert(asdict(search), pk="episode", replace=True)


def save_transcript(db: Database, episode: str, transcript: Transcript, key: str) -> int:
    """Store a transcript with its segments, update both search indexes, and return its id.

    Whisper's transcript becomes the preferred one; a publisher's only if there is no other. A transcript that is
    already stored (same episode, rendition and key) keeps its id, and its rows are replaced only if they differ. If
    Whisper heard different words, the earlier transcript is kept but no longer preferred, so that quotations from it
    still resolve. Editors' checks of the recording apply to every transcript.
    """
    options = json.dumps(dict(transcript.options), sort_keys=True)
    with immediate(db):
        preferred = transcript.source == "whisper" or preferred_transcript(db.conn, episode) is None
        if preferred:
            db.execute("update transcripts set preferred = 0 where episode = ?", [episode])
        known = _known(db, episode, transcript, key)
        if known is not None:
            transcript = _named_as_known(db, known, transcript)
        (transcript_id,) = db.execute(
            """insert into transcripts
               (rendition, episode, source, engine, model, language, options, key, created, preferred)
               values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
               on conflict (episode, rendition, key) do update set preferred = max(preferred, excluded.preferred)
               returning id""",
            [
                transcript.audio_sha256,
                episode,
                transcript.source,
                transcript.engine,
                transcript.model,
                transcript.language,
                options,
                key,
                transcript.created,
                preferred,
            ],
        ).fetchone()
        # Speakers may be better known now even if the words are the same.
        save_speakers(db, transcript_id, transcript.speakers)
        before = None if known is None else heard(db, known)
        if before != transcript.segments:
            if before is not None:
                if _words(before) != _words(transcript.segments):
                    db.execute(
                        "update transcripts set word_error_rate = null, compared_with = null where id = ?",
                        [transcript_id],
                    )
                _delete_segments(db, transcript_id)
                db.execute(
                    "update transcripts set created = ?, options = ? where id = ?",
                    [transcript.created, options, transcript_id],
                )
            _insert_segments(db, transcript_id, episode, transcript.segments)
        restate(db, transcript_id)
        relabel(db, episode)
        return int(transcript_id)


def _known(db: Database, episode: str, transcript: Transcript, key: str) -> int | None:
    """The id of the stored transcript that this one updates, if any; it then has the key.

    For Whisper that is the one with the same words. A transcript with other words under the key is renamed to
    ``<key>.<id>``, which sets it aside.
    """
    rows = db.execute(
        """select key, id from transcripts
           where episode = ? and rendition = ? and (key = ? or key like ? || '.%') order by key""",
        [episode, transcript.audio_sha256, key, key],
    ).fetchall()
    current = dict(rows).get(key)
    if transcript.source != "whisper":
        return current
    same = next((id_ for _, id_ in rows if _words(heard(db, id_)) == _words(transcript.segments)), None)
    if current != same:
        db.execute("update transcripts set key = key || '.' || id where id = ?", [current])
        db.execute("update transcripts set key = ? where id = ?", [key, same])
    return same


def _named_as_known(db: Database, transcript_id: int, transcript: Transcript) -> Transcript:
    """The transcript with speaker names found since it was made; its file has the names as of then."""
    before, now = heard(db, transcript_id), transcript.segments
    if [replace(one, speaker=None) for one in before] != [replace(one, speaker=None) for one in now]:
        return transcript
    named = {one.label: one for one in machine_speakers(db, transcript_id) if one.name}
    pairs = {(new.speaker, old.speaker) for new, old in zip(now, before, strict=True)}
    news, olds = Counter(new for new, _ in pairs), Counter(old for _, old in pairs)
    taken = {name for one in transcript.speakers for name in (one.label, one.name)}
    labels = {
        new: old
        for new, old in pairs
        if new and old in named and news[new] == olds[old] == 1 and taken.isdisjoint({old, named[old].name})
    }
    speakers = tuple(
        replace(one, label=label, name=named[label].name, role=named[label].role)
        if one.name is None and (label := labels.get(one.label))
        else one
        for one in transcript.speakers
    )
    given = {one.label: new.label for one, new in zip(transcript.speakers, speakers, strict=True)}
    segments = tuple(replace(one, speaker=given.get(one.speaker or "", one.speaker)) for one in now)
    return replace(transcript, segments=segments, speakers=speakers)


def _words(segments: Sequence[Segment]) -> list[str]:
    return [word for segment in segments for word in segment.text.split()]


def gate_report(db: Database, transcript_id: int) -> dict[str, Any] | None:
    """Return the quality gate's report on a transcript; None if it has none."""
    (options,) = db.execute("select options from transcripts where id = ?", [transcript_id]).fetchone()
    report: dict[str, Any] | None = json.loads(options).get("gate")
    return report


def stored_transcript(db: Database, transcript_id: int) -> Transcript:
    """Return a transcript as the machine made it, with everything that its file contains."""
    sha256, duration, engine, model, language, created, options, source = db.execute(
        """select r.sha256, r.duration, t.engine, t.model, t.language, t.created, t.options, t.source
           from transcripts t join renditions r on r.sha256 = t.rendition and r.episode = t.episode where t.id = ?""",
        [transcript_id],
    ).fetchone()
    segments = heard(db, transcript_id)
    return Transcript(
        audio_sha256=sha256,
        duration=max([duration, *(segment.end for segment in segments)]),  # decoders round it differently
        engine=engine,
        model=model,
        language=language,
        created=created,
        segments=segments,
        options=json.loads(options),
        speakers=machine_speakers(db, transcript_id),
        source=source,
    )


def compared(db: Database, transcript_id: int, *, publisher: int, word_error_rate: float) -> None:
    """Store a transcript's word error rate against the publisher's transcript."""
    db.execute(
        "update transcripts set word_error_rate = ?, compared_with = ? where id = ?",
        [round(word_error_rate, 4), publisher, transcript_id],
    )


def name_speakers(db: Database, transcript_id: int, named: Sequence[Speaker]) -> None:
    """Replace the diarised speakers by the same ones in the same order, with names and roles, also in all segments.

    Nobody's new label is the old one of another; editors' attributions are unaffected.
    """
    with immediate(db):
        before = machine_speakers(db, transcript_id)
        save_speakers(db, transcript_id, named)
        for old, new in zip(before, named, strict=True):
            if old.label != new.label:
                _relabel_segments(db, transcript_id, old.label, new.label)
        restate(db, transcript_id)
        (episode,) = db.execute("select episode from transcripts where id = ?", [transcript_id]).fetchone()
        relabel(db, episode)  # who is the host may be known better now


def _relabel_segments(db: Database, transcript_id: int, before: str, now: str) -> None:
    db.execute(
        """update segments set machine = json_set(machine, '$.speaker', ?)
           where transcript = ? and machine is not null
               and iif(json_type(machine, '$.speaker') is null, speaker, json_extract(machine, '$.speaker')) = ?""",
        [now, transcript_id, before],
    )
    db.execute(
        "update segments set speaker = ? where transcript = ? and machine is null and speaker = ?",
        [now, transcript_id, before],
    )


def host_voices(db: Database, feed: str, *, but: str) -> list[tuple[str, tuple[float, ...]]]:
    """Return the name and voice print of each host in each of a feed's episodes, except one."""
    rows = db.execute(
        f"""select p.name, p.voice from {SPEAKING}
           join episodes e on e.id = t.episode
           where e.feed = ? and e.id != ? and p.role = 'host' and p.name is not null and p.voice is not null
           order by e.id""",
        [feed, but],
    )
    return [(name, tuple(json.loads(voice))) for name, voice in rows]


def _delete_segments(db: Database, transcript_id: int) -> None:
    """Delete a transcript's segments and all that was derived from them."""
    unindex(db, transcript_id)
    for table in ("segments", "matches", "follow_ups", "alignments"):
        db.execute(f"delete from {table} where transcript = ?", [transcript_id])


def _insert_segments(db: Database, transcript_id: int, episode: str, segments: Sequence[Segment]) -> None:
    """Insert segments with contiguous ids, so that a transcript is a range of rowids in the index.

    Triggers index the segments; the whole text is indexed here.
    """
    first = db.execute("select coalesce(max(id), 0) + 1 from segments").fetchone()[0]
    block = (first, first + len(segments) - 1) if segments else (None, None)
    db.execute("update transcripts set first_segment = ?, last_segment = ? where id = ?", [*block, transcript_id])
    db.conn.executemany(
        """insert into segments (id, transcript, episode, n, start, "end", text, speaker, confidence, flags, words)
           values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)""",
        (
            (
                first + n,
                transcript_id,
                episode,
                n,
                segment.start,
                segment.end,
                segment.text,
                segment.speaker,
                segment.confidence,
                json.dumps(segment.flags),
                json.dumps(segment.words, ensure_ascii=False),
            )
            for n, segment in enumerate(segments)
        ),
    )
    index(db, transcript_id)
