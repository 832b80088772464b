"""Reviewing transcripts: the report of the quality gate, and what the other engine hears."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from sqlite_utils import Database

from pipeline.archive.database import reader, writer
from pipeline.archive.rendition_choice import Choice
from pipeline.archive.renditions import save_rendition
from pipeline.archive.transcripts import save_transcript
from pipeline.audio.decode import decode
from pipeline.cli import main
from pipeline.config import Config, Feed
from pipeline.errors import ArchiveError, SpeechError
from pipeline.model import KeptAudio, Segment, Transcript, Word
from pipeline.runs.second_opinions import second_opinions
from pipeline.sample import DATA
from pipeline.speech.check import Opinion, disagreement, second_opinion
from pipeline.speech.explain import explained
from pipeline.speech.wording import Difference
from tests.conftest import FakeEngine
from tests.support.building import NOW, add_feed, episode, new_archive

SHA = "cd" * 32
CLIP_BYTES = 80_000  # 13 seconds of the sample's constant 48 kbit/s
TRUTH = json.loads((DATA / "episode-1.truth.json").read_text(encoding="utf-8"))
DOUBTFUL = {
    "windows": 7,
    "speech_seconds": 190.5,
    "languages": {"en": 180.0, "cy": 10.5},
    "decisions": [
        {
            "start": 61.0, "end": 88.5, "flags": [], "dropped": "", "language": "en",
            "tried": [["decoded", ["repetition", "too_fast"]], ["decoded carefully", []]],
        },
        {
            "start": 3700.0, "end": 3701.0, "flags": [], "dropped": "Thank you.", "language": "en",
            "tried": [["decoded", ["stock_phrase"]]],
        },
        {
            "start": 120.0, "end": 149.0, "flags": ["low_confidence", "missing_words"], "dropped": "",
            "language": "cy", "tried": [["decoded", ["low_confidence", "missing_words"]]],
        },
        {
            "start": 10.0, "end": 30.0, "flags": ["missing_words"], "dropped": "Thank you.", "language": "en",
            "tried": [["decoded", ["stock_phrase", "missing_words"]]],
        },
    ],
}  # fmt: skip


def said(*, instead_of: Mapping[str, str] = {}) -> tuple[Segment, ...]:
    """The words of the clip's utterances, evenly spread over each; some are replaced."""
    segments = []
    for utterance in TRUTH["utterances"][:2]:
        texts = [instead_of.get(text, text) for text in utterance["text"].split()]
        step = (utterance["end"] - utterance["start"]) / len(texts)
        starts = [utterance["start"] + n * step for n in range(len(texts))]
        words = tuple(Word(start, start + step, text, 0.9) for start, text in zip(starts, texts, strict=True))
        segments.append(Segment(words[0].start, words[-1].end, " ".join(texts), words))
    return tuple(segments)


@pytest.fixture
def made(tmp_path: Path) -> Callable[..., Path]:
    """Make an archive with the clip twice, transcribed like this, and its feeds.yaml; return the database's path."""

    def make(
        segments: Sequence[Segment] = (), *, engine: str = "faster-whisper", gate: Any = None, audio: bool = True
    ) -> Path:
        path = tmp_path / "archive.db"
        (tmp_path / "feeds.yaml").write_text(
            f"feeds:\n- {{slug: show, title: Show, url: feed.xml, engine: {engine}}}\n", encoding="utf-8"
        )
        if audio:
            (tmp_path / "audio").mkdir()
            (tmp_path / "audio" / "clip.mp3").write_bytes((DATA / "episode-1.mp3").read_bytes()[:CLIP_BYTES])
        with new_archive(path) as db:
            options = {} if gate is None else {"gate": gate}
            for one in add_feed(db, "show", episode("a"), episode("b")):
                save_rendition(db, one, KeptAudio(SHA, "audio/clip.mp3", 1, "audio/mpeg", 13.3, "u", "u", NOW))
                save_transcript(
                    db, one, Transcript(SHA, 13.3, engine, "tiny.en", "en", NOW, tuple(segments), options), "0" * 12
                )
        return path

    return make


def transcribe(database: Path, *arguments: object) -> Result:
    feeds = database.with_name("feeds.yaml")
    given = ["transcribe", "--db", database, "--feeds", feeds, *arguments]
    return CliRunner().invoke(main, [str(one) for one in given])


def ids(database: Path) -> list[str]:
    with reader(database) as connection:
        return [row[0] for row in connection.execute("select id from episodes order by id")]


# --- the report of the gate


def test_the_account_is_told_in_words() -> None:
    assert list(explained(DOUBTFUL)) == [
        "7 windows with 3:10 of speech (en 3:00, cy 0:10); 4 did not pass at once",
        "1:01-1:28:",
        "  decoded: repetition, too fast",
        "  decoded carefully: sound",
        "1:01:40-1:01:41:",
        "  decoded: stock phrase",
        "  dropped, because hardly anybody speaks: 'Thank you.'",
        "2:00-2:29:",
        "  decoded: low confidence, missing words",
        "  kept, and flagged: low_confidence, missing_words",
        "0:10-0:30:",
        "  decoded: stock phrase, missing words",
        "  dropped, because Whisper invents it over noise: 'Thank you.'",
        "  flagged: missing_words",
    ]


@pytest.mark.parametrize("report", [{}, {"windows": 0, "speech_seconds": 0.0, "languages": {}, "decisions": []}])
def test_of_a_recording_without_speech_there_is_little_to_tell(report: dict[str, Any]) -> None:
    assert list(explained(report)) == ["0 windows with 0:00 of speech (no language); 0 did not pass at once"]


def test_explain_tells_it_of_each_transcribed_episode(made: Callable[..., Path]) -> None:
    database = made(said(), gate=DOUBTFUL)
    result = transcribe(database, "--explain", "--quiet")
    assert result.exit_code == 0
    first, second = ids(database)
    assert result.stdout.count("7 windows with 3:10 of speech") == 2
    assert result.stdout.count("kept, and flagged: low_confidence, missing_words") == 2
    assert f"{first}: 7 windows" in result.stdout
    only = transcribe(database, "--explain", "--quiet", "--only", second)
    assert f"{second}: 7 windows" in only.stdout
    assert first not in only.stdout


def test_a_transcript_without_an_account_is_passed_over(made: Callable[..., Path]) -> None:
    result = transcribe(made(said()), "--explain", "--quiet")
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "")


def test_where_there_is_nothing_to_tell_of_it_says_where_it_looked(made: Callable[..., Path]) -> None:
    database = made(said())
    result = transcribe(database, "--explain")
    assert (result.exit_code, result.stdout) == (0, "")
    assert f"{database}: no show in {database.parent / 'feeds.yaml'} has a transcript to explain\n" in result.stderr
    with writer(database) as db:
        db.execute("update transcripts set preferred = 0")
    result = transcribe(database, "--check", "--only", "show")
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr == f"{database}: show has no transcript to compare\n"


def test_explain_with_load_keeps_data_and_talk_apart(tmp_path: Path) -> None:
    clip = tmp_path / "clip.mp3"
    clip.write_bytes((DATA / "episode-1.mp3").read_bytes()[:CLIP_BYTES])
    result = CliRunner().invoke(main, ["transcribe", "--explain", "--db", str(tmp_path / "a.db"), "--load", str(clip)])
    assert result.exit_code == 0
    (line,) = result.stdout.splitlines()
    printed = json.loads(line)
    assert printed["file"] == str(clip)
    assert "Welcome to" in " ".join(segment["text"] for segment in printed["segments"])
    assert result.stderr.startswith("1 windows with 0:1")
    assert not (tmp_path / "a.db").exists()


# --- what another engine hears


class Deaf(FakeEngine):
    """Fails on every recording."""

    def transcribe(self, *_: Any, **__: Any) -> Any:
        raise SpeechError("the other engine failed")


def opinions(database: Path, other: FakeEngine, *, only: str | None = None, **feed: Any) -> dict[str, Any]:
    config = Config(feeds=[Feed(slug="show", title="Show", url="feed.xml", **feed)])
    with reader(database) as connection:
        return dict(second_opinions(config, Database(connection), database.parent, lambda _: other, only))


def test_where_both_hear_the_same_they_agree(made: Callable[..., Path]) -> None:
    found = opinions(made(said()), FakeEngine(said()))
    assert len(found) == 2
    for one in found.values():
        assert one["disagreement"] == 0.0
        assert [window["disagreement"] for window in one["windows"]] == [0.0]
        assert one["windows"][0]["ours"] == one["windows"][0]["theirs"] == " ".join(part.text for part in said())


def test_they_disagree_by_the_share_of_words_that_differ(made: Callable[..., Path]) -> None:
    found = opinions(made(said(instead_of={"Family": "Famous old", "Gazette.": "Gazelle."})), FakeEngine(said()))
    words = sum(len(part.text.replace("-", " ").split()) for part in said())
    for one in found.values():
        assert one["disagreement"] == pytest.approx(3 / words, abs=1e-4)  # of the other engine's words
        assert "Famous old Services Gazelle." in one["windows"][0]["ours"]
        assert "Family Services Gazette." in one["windows"][0]["theirs"]


@pytest.mark.parametrize(("engine", "other"), [
    ("faster-whisper", "openai-whisper"), ("openai-whisper", "faster-whisper"),
])  # fmt: skip
def test_the_other_engine_is_asked(made: Callable[..., Path], engine: Any, other: str) -> None:
    database = made(said(), engine=engine)
    config = Config(feeds=[Feed(slug="show", title="Show", url="feed.xml", engine=engine)])
    asked: list[str] = []

    def make(feed: Feed) -> FakeEngine:
        asked.append(feed.engine)
        return FakeEngine(said())

    with reader(database) as connection:
        list(second_opinions(config, Database(connection), database.parent, make, None))
    assert set(asked) == {other}


def test_one_episode_alone_may_be_checked(made: Callable[..., Path]) -> None:
    database = made(said())
    first, _ = ids(database)
    assert list(opinions(database, FakeEngine(said()), only=first)) == [first]
    assert sorted(opinions(database, FakeEngine(said()), only="show")) == ids(database)


def test_what_was_transcribed_is_checked_though_a_newer_recording_waits(made: Callable[..., Path]) -> None:
    database = made(said())
    first, _ = ids(database)
    with writer(database) as db:
        newer = KeptAudio("ef" * 32, "audio/ef/newer.mp3", 1, "audio/mpeg", 9.0, "u", "u", NOW)
        save_rendition(db, first, newer, choice=Choice(True, "the newest"))
    assert opinions(database, FakeEngine(said()), only=first)[first]["disagreement"] == 0.0


def test_an_engine_that_fails_is_told_of_each_episode(made: Callable[..., Path]) -> None:
    found = opinions(made(said()), Deaf())
    assert len(found) == 2
    assert all(isinstance(one, ArchiveError) for one in found.values())


def test_a_sample_is_spread_over_the_whole_recording() -> None:
    samples = decode(DATA / "episode-1.mp3")
    found = second_opinion([samples], (), FakeEngine(()), language="en", sample=3)
    seconds = samples.size / 16_000
    assert [int(3 * (one.start + one.end) / 2 / seconds) for one in found] == [0, 1, 2]


def test_all_windows_together_are_one_comparison() -> None:
    def opinion(wrong: int, words: int) -> Opinion:
        return Opinion(0.0, 30.0, "", "", Difference(wrong, 0, 0, words))

    assert disagreement([opinion(1, 10), opinion(2, 90)]) == pytest.approx(0.03)
    assert disagreement([]) == 0.0


def test_check_as_json_with_the_faster_engine_as_the_other(made: Callable[..., Path]) -> None:
    database = made(said(instead_of={"Gazette.": "Gazelle."}), engine="openai-whisper")
    first, second = ids(database)
    result = transcribe(database, "--check", "--json")
    assert result.exit_code == 0
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    assert {line["episode"] for line in lines} == {first, second}
    for line in lines:
        assert (line["engine"], line["model"]) == ("faster-whisper", "tiny.en")
        assert 0 < line["disagreement"] < 0.3
        (window,) = line["windows"]
        assert (window["start"], window["end"]) == pytest.approx((0.5, 13.2), abs=0.6)
        assert "Gazelle." in window["ours"]
        assert "Gazette" in window["theirs"]


# openai-whisper leaves one of its files open
@pytest.mark.filterwarnings("ignore:.*gpt2.tiktoken:ResourceWarning")
@pytest.mark.filterwarnings("ignore:.*gpt2.tiktoken:pytest.PytestUnraisableExceptionWarning")
def test_check_as_text_with_openais_engine_as_the_other(made: Callable[..., Path]) -> None:
    database = made(said(instead_of={"Gazette.": "Gazelle."}))
    first, _ = ids(database)
    result = transcribe(database, "--check", "--only", first)
    assert result.exit_code == 0
    headline, window, here, there = result.stdout.splitlines()
    assert headline.startswith(f"{first}: ")
    assert headline.endswith("% of the words differ (openai-whisper)")
    assert window.startswith("  0:0")
    assert here.startswith("    here:  ")
    assert here.endswith("Gazelle.")
    assert there.startswith("    there: ")
    assert "Gazette" in there


def test_check_names_the_audio_that_is_missing(made: Callable[..., Path]) -> None:
    database = made(said(), audio=False)
    result = transcribe(database, "--check")
    assert result.exit_code == 3
    assert result.stdout == ""
    lost = database.parent / "audio" / "clip.mp3"
    assert sorted(result.stderr.splitlines()) == [
        f"{one}: {lost} is missing: run `download` again, or restore it from a copy" for one in ids(database)
    ]


def test_check_passes_over_what_is_not_transcribed(tmp_path: Path, made: Callable[..., Path]) -> None:
    database = made(said())
    with writer(database) as db:
        db.execute("update transcripts set preferred = 0")
    assert opinions(database, Deaf()) == {}
    assert tmp_path == database.parent


def test_check_of_a_database_that_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "feeds.yaml").write_text("feeds:\n- {slug: show, title: Show, url: feed.xml}\n", encoding="utf-8")
    result = transcribe(tmp_path / "none.db", "--check")
    assert result.exit_code == 1
    assert "no such database" in result.stderr


# --- usage


@pytest.mark.parametrize(
    ("option", "value"), [("--model", "base.en"), ("--engine", "openai-whisper"), ("--language", "cy")]
)
@pytest.mark.parametrize("more", [[], ["--check"], ["--explain"]], ids=["", "check", "explain"])
def test_what_feeds_yaml_says_is_refused_without_load(tmp_path: Path, option: str, value: str, more: list[str]) -> None:
    result = transcribe(tmp_path / "a.db", option, value, *more)
    assert result.exit_code == 2
    assert f"{option} needs --load; without it feeds.yaml sets the {option.removeprefix('--')} of each show." in (
        result.stderr
    )
    assert not (tmp_path / "a.db").exists()


def test_check_means_nothing_with_load(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["transcribe", "--check", "--load", str(tmp_path / "a.mp3")])
    assert result.exit_code == 2
    assert "--check cannot be used with --load" in result.stderr


@pytest.mark.parametrize(
    ("option", "ignored"),
    [
        *(("--check", given) for given in ("--since=2026-01-01", "--limit=1", "--dry-run", "--again", "--quiet")),
        ("--check", "--explain"),
        *(("--explain", given) for given in ("--since=2026-01-01", "--limit=1", "--dry-run")),
    ],
)
def test_what_check_and_explain_would_not_heed_is_wrong_usage(tmp_path: Path, option: str, ignored: str) -> None:
    result = transcribe(tmp_path / "a.db", option, ignored)
    assert result.exit_code == 2
    assert f"{ignored.partition('=')[0]} cannot be used with {option}; leave it out." in result.stderr
    assert not (tmp_path / "a.db").exists()


@pytest.mark.parametrize("option", ["--check", "--explain"])
def test_an_only_that_fits_nothing_is_wrong_usage(made: Callable[..., Path], option: str) -> None:
    result = transcribe(made(said()), option, "--only", "shwo")
    assert result.exit_code == 2
    assert "shwo" in result.stderr


def test_an_engine_that_hears_nothing_disagrees_wholly(made: Callable[..., Path]) -> None:
    for one in opinions(made(said()), FakeEngine(())).values():
        assert one["disagreement"] == 1.0
        assert [window["disagreement"] for window in one["windows"]] == [1.0]


def test_explain_with_json_leaves_stdout_to_the_report(made: Callable[..., Path]) -> None:
    result = transcribe(made(said(), gate=DOUBTFUL), "--explain", "--quiet", "--json")
    assert json.loads(result.stdout)["exit_code"] == 0
    assert result.stderr.count("7 windows with 3:10 of speech") == 2
