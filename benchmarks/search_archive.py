"""A synthetic archive of a million segments: words with natural frequencies, speakers, questions and word times.

Its words are meaningless, but their number, lengths and frequencies (Zipf) are like those of speech, as is the shape of
the archive: 1,250 episodes of 800 segments of 4 to 20 words. The same seed gives the same archive.
"""

from __future__ import annotations

import datetime
import random
from bisect import bisect_left
from collections.abc import Iterator
from itertools import accumulate
from pathlib import Path

from sqlite_utils import Database

from pipeline.archive.database import writer
from pipeline.archive.feeds import ensure_feed, save_poll
from pipeline.archive.renditions import save_rendition
from pipeline.archive.transcripts import save_transcript
from pipeline.model import FeedEpisode, KeptAudio, Segment, Speaker, Transcript, Validators, Word

SEED = 20261126
EPISODES, SEGMENTS, VOCABULARY, FEEDS = 1_250, 800, 10_000, 10
_COMMON = [
    "the",
    "of",
    "and",
    "to",
    "a",
    "in",
    "that",
    "is",
    "it",
    "was",
    "for",
    "on",
    "with",
    "as",
    "be",
    "at",
    "by",
    "this",
    "had",
    "not",
    "are",
    "but",
    "from",
    "or",
    "have",
    "an",
    "they",
    "which",
    "one",
    "you",
    "were",
    "her",
    "all",
    "she",
    "there",
    "would",
    "their",
    "we",
    "him",
    "been",
    "has",
    "when",
    "who",
    "will",
    "no",
    "more",
    "if",
    "out",
    "so",
    "said",
    "what",
    "up",
    "its",
    "about",
    "into",
    "than",
    "them",
    "can",
    "only",
    "other",
    "new",
    "some",
    "could",
    "time",
    "these",
    "two",
    "may",
    "then",
    "do",
    "first",
    "any",
    "my",
    "now",
    "such",
    "like",
    "our",
    "over",
    "man",
    "me",
    "even",
    "most",
    "made",
    "after",
    "also",
    "did",
    "many",
    "before",
    "must",
    "through",
    "years",
    "where",
    "much",
    "your",
    "way",
    "well",
    "down",
    "should",
    "because",
    "each",
    "just",
    "those",
    "people",
    "how",
    "too",
    "little",
    "state",
    "good",
    "very",
    "make",
    "world",
    "still",
    "own",
    "see",
    "men",
    "work",
    "long",
    "get",
    "here",
    "between",
    "both",
    "life",
    "being",
    "under",
    "never",
    "day",
    "same",
    "another",
    "know",
    "while",
    "last",
    "might",
    "us",
    "great",
    "old",
    "year",
    "off",
    "come",
    "since",
    "against",
    "go",
    "came",
    "right",
    "used",
    "take",
    "three",
]
_ONSETS = [
    "b",
    "c",
    "d",
    "f",
    "g",
    "h",
    "j",
    "k",
    "l",
    "m",
    "n",
    "p",
    "r",
    "s",
    "t",
    "v",
    "w",
    "br",
    "cl",
    "dr",
    "fl",
    "gr",
    "pl",
    "pr",
    "sh",
    "st",
    "th",
    "tr",
]
_VOWELS = ["a", "e", "i", "o", "u", "ai", "ea", "oo", "ou"]
_CODAS = ["", "n", "r", "l", "t", "s", "m", "nd", "st", "ck"]


class Words:
    """Draws words with natural frequencies: the nth most common is 1/n as common as the first."""

    def __init__(self, chance: random.Random, size: int = VOCABULARY) -> None:
        self.chance = chance
        made: dict[str, None] = dict.fromkeys(_COMMON)
        while len(made) < size:
            syllables = chance.choice((1, 2, 2, 3))
            made["".join(chance.choice(s) for _ in range(syllables) for s in (_ONSETS, _VOWELS, _CODAS))] = None
        self.words = list(made)
        self._until = list(accumulate(1 / n for n in range(1, size + 1)))

    def draw(self, number: int) -> list[str]:
        """Return ``number`` random words."""
        last = self._until[-1]
        return [self.words[bisect_left(self._until, self.chance.random() * last)] for _ in range(number)]


def segments(words: Words, speakers: tuple[str, str]) -> Iterator[Segment]:
    """Yield an episode's segments: three of every forty are by the host, the others by the guest."""
    chance, now = words.chance, 0.0
    for n in range(SEGMENTS):
        spoken, timed = words.draw(chance.randint(4, 20)), []
        for word in spoken:
            timed.append(Word(round(now, 2), round(now + 0.25, 2), word, 0.95))
            now += 0.3
        yield Segment(timed[0].start, timed[-1].end, " ".join(spoken), tuple(timed), speakers[n % 40 > 2], 0.95)


def build(path: Path, *, episodes: int = EPISODES) -> None:
    """Build the archive at ``path`` with the archive's own functions."""
    chance = random.Random(SEED)  # noqa: S311 - not for secrets
    words = Words(chance)
    published = datetime.datetime(2026, 11, 1, tzinfo=datetime.UTC)
    with writer(path) as db:
        for n in range(episodes):
            feed = f"show-{n % FEEDS}"
            ensure_feed(db, feed, title=feed.title(), url="https://example.org/feed.xml")
            when = (published - datetime.timedelta(days=2 * n)).strftime("%Y-%m-%dT%H:%M:%SZ")
            title = " ".join(words.draw(6)).capitalize()
            item = FeedEpisode(str(n), title, when, None, f"https://example.org/{n}.mp3", None, None, "", "", ())
            save_poll(
                db,
                feed,
                [item],
                now=when,
                feed_url="https://example.org/feed.xml",
                validators=Validators(),
                parser_version=1,
            )
            (episode,) = db.execute("select id from episodes where feed = ? and guid = ?", [feed, str(n)]).fetchone()
            _transcribe(db, episode, n, tuple(segments(words, (f"Host {n % FEEDS}", f"Guest {n % 300}"))), when)
        db.execute("insert into segments_fts(segments_fts) values ('optimize')")
        db.execute("insert into transcripts_fts(transcripts_fts) values ('optimize')")
        db.conn.commit()


def _transcribe(db: Database, episode: str, n: int, spoken: tuple[Segment, ...], when: str) -> None:
    sha256 = f"{n:064x}"
    duration = spoken[-1].end
    save_rendition(db, episode, KeptAudio(sha256, f"audio/{n}.mp3", 1, "audio/mpeg", duration, "u", "u", when))
    host, guest = spoken[0].speaker or "", spoken[-1].speaker or ""
    speakers = (Speaker(host, host, "host", duration / 10), Speaker(guest, guest, "guest", duration * 0.9))
    transcript = Transcript(sha256, duration, "faster-whisper", "tiny.en", "en", when, spoken, speakers=speakers)
    number = save_transcript(db, episode, transcript, "0" * 12)
    # Of every forty segments, the first three are a question, the others its answer.
    db.execute(
        """update segments set question = n / 40 + 1, questions = json_array(n / 40 + 1),
            role = case when n % 40 < 3 then 'question' else 'answer' end
        where transcript = ?""",
        [number],
    )
    db.conn.commit()
