"""``align --load``: transcripts of other programs, and lists of questions in files of their own."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from pipeline.cli import main
from pipeline.model import Segment
from tests.stages.test_align import QUESTIONS, SCRIPT

LAST = 192.083  # when the last question of the script is asked


def call(*arguments: Any) -> Result:
    return CliRunner().invoke(main, ["align", "--load", *map(str, arguments)])


def clock(seconds: float, mark: str) -> str:
    ms = round(seconds * 1000)
    return f"{ms // 3_600_000:02}:{ms // 60_000 % 60:02}:{ms // 1000 % 60:02}{mark}{ms % 1000:03}"


def words(segment: Segment, **key: str) -> list[dict[str, Any]]:
    """The words of a segment, each as long as the others, as Whispers write them; ``key`` names their keys."""
    spoken = segment.text.split()
    each = (segment.end - segment.start) / len(spoken)
    return [
        {
            key.get("word", "word"): f" {word}",
            "start": segment.start + n * each,
            "end": segment.start + (n + 1) * each,
            key.get("probability", "probability"): 0.9,
        }
        for n, word in enumerate(spoken)
    ]


def whisper(segments: list[Segment]) -> Any:
    return {
        "text": " ".join(one.text for one in segments),
        "segments": [
            {"id": n, "seek": 0, "start": one.start, "end": one.end, "text": f" {one.text}", "words": words(one)}
            for n, one in enumerate(segments)
        ],
        "language": "en",
    }


def faster_whisper(segments: list[Segment]) -> Any:
    return [{"start": s.start, "end": s.end, "text": f" {s.text}", "words": None} for s in segments]


def whisperx(segments: list[Segment]) -> Any:
    """A word that WhisperX could not align has no times."""
    segmented = [
        {"start": s.start, "end": s.end, "text": s.text, "words": words(s), "speaker": s.speaker} for s in segments
    ]
    segmented[3]["words"] = [*words(segments[3])[:-1], {"word": "20"}]
    return {"segments": segmented, "word_segments": [], "language": "en"}


def whisper_cpp(segments: list[Segment]) -> Any:
    return {
        "systeminfo": "AVX = 1",
        "result": {"language": "en"},
        "transcription": [
            {
                "timestamps": {"from": clock(s.start, ","), "to": clock(s.end, ",")},
                "offsets": {"from": round(s.start * 1000), "to": round(s.end * 1000)},
                "text": f" {s.text}",
            }
            for s in segments
        ],
    }


def podcast_namespace(segments: list[Segment]) -> Any:
    return {
        "version": "1.0.0",
        "segments": [{"speaker": s.speaker, "startTime": s.start, "endTime": s.end, "body": s.text} for s in segments],
    }


def of_this_program(segments: list[Segment]) -> Any:
    """As ``transcribe --load`` prints it."""
    made: list[dict[str, Any]] = [
        {
            "start": s.start,
            "end": s.end,
            "text": s.text,
            "words": [],
            "speaker": s.speaker,
            "flags": [],
            "role": "other",
        }
        for s in segments
    ]
    return {"file": "a.mp3", "duration": 240.0, "engine": "faster-whisper", "model": "tiny.en", "segments": made}


def vtt(segments: list[Segment]) -> str:
    cues = (f"{clock(s.start, '.')} --> {clock(s.end, '.')}\n<v {s.speaker}>{s.text}\n" for s in segments)
    return "WEBVTT\n\n" + "\n".join(cues)


def srt(segments: list[Segment]) -> str:
    cues = (f"{n}\n{clock(s.start, ',')} --> {clock(s.end, ',')}\n{s.text}\n" for n, s in enumerate(segments, 1))
    return "\ufeff" + "\r\n".join("\n".join(cues).split("\n"))


@pytest.fixture
def questions(tmp_path: Path) -> Path:
    path = tmp_path / "questions.txt"
    path.write_text("\n".join(f"{n}) {text}" for n, text in enumerate(QUESTIONS, 1)), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    "written", [whisper, faster_whisper, whisperx, whisper_cpp, podcast_namespace, of_this_program, vtt, srt]
)
def test_transcripts_of_other_programs_are_aligned(
    written: Callable[[list[Segment]], Any], questions: Path, tmp_path: Path
) -> None:
    made = written(list(SCRIPT))
    path = tmp_path / "transcript"
    path.write_text(made if isinstance(made, str) else json.dumps(made), encoding="utf-8")
    result = call(path, "--questions", questions)
    assert result.exit_code == 0, result.stderr
    matches = json.loads(result.stdout)["matches"]
    assert [match["number"] for match in matches] == list(range(1, len(QUESTIONS) + 1))
    assert (matches[-1]["status"], matches[-1]["start"]) == ("asked", pytest.approx(LAST, abs=0.3))


def test_what_transcribe_prints_needs_no_list(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(json.dumps(of_this_program(list(SCRIPT))), encoding="utf-8")
    result = call(tmp_path / "a.json")
    assert result.exit_code == 0, result.stderr
    assert json.loads(result.stdout)["matches"][0]["text"].startswith("You have gone from struggling to good")


def test_each_line_that_transcribe_prints_is_a_transcript(tmp_path: Path) -> None:
    segments = [Segment(2.0, 4.0, "Who pays?"), Segment(4.5, 9.0, "The council pays for that.")]
    lines = [json.dumps({**of_this_program(segments), "file": name}) for name in ("a.mp3", "b.mp3")]
    lines.insert(1, '{"file": "c.mp3", "segments": 3}')
    (tmp_path / "all").write_text("\n".join([*lines, ""]), encoding="utf-8")
    (tmp_path / "list").write_text("Who pays?", encoding="utf-8")
    result = call(tmp_path / "all", "--questions", tmp_path / "list")
    assert result.exit_code == 3
    assert f"{tmp_path / 'all'}: transcript 2: " in result.stderr
    read = [json.loads(line) for line in result.stdout.splitlines()]
    assert [(one["recording"], one["matches"][0]["start"]) for one in read] == [("a.mp3", 2.0), ("b.mp3", 2.0)]


@pytest.mark.parametrize(
    "listed",
    [
        "1. Who pays?\n\n2. Tell us about the posts.\n",
        "\ufeffQ1: Who pays?\r\nQ2: Tell us about the posts.\r\n",
        "- Who pays?\n- Tell us about the posts.",
        "Who pays?\nTell us about the posts.",
        "number,text\n1,Who pays?\n2,Tell us about the posts.\n",
        "\ufeffnumber;text\r\n1;Who pays?\r\n;\r\n2;Tell us about the posts.\r\n",
        'text,number,status\n"Who pays?",1,asked\n"Tell us about the posts.",2,asked\n',
        "text\nWho pays?\nTell us about the posts.\n",
        '"","text"\n"1","Who pays?"\n"2","Tell us about the posts."\n',  # R writes numbers of rows, and quotes
    ],
)
def test_questions_are_read_from_lines_and_from_tables(listed: str, tmp_path: Path) -> None:
    (tmp_path / "list").write_text(listed, encoding="utf-8", newline="")
    (tmp_path / "a.json").write_text('{"segments": [{"start": 2, "end": 4, "text": "Who pays?"}]}', encoding="utf-8")
    result = call(tmp_path / "a.json", "--questions", tmp_path / "list", "--explain")
    assert result.exit_code == 0, result.stderr
    explained = json.loads(result.stdout)["explanation"]
    assert [(one["number"], one["question"]) for one in explained] == [
        (1, "Who pays?"),
        (2, "Tell us about the posts."),
    ]


def test_only_a_mark_is_removed_from_a_line(tmp_path: Path) -> None:
    texts = ["5.5 million pounds – why so little?", "Is that Q: or A: in the report – and what is 2) there?"]
    (tmp_path / "list").write_text("\n".join(texts), encoding="utf-8")
    (tmp_path / "a.json").write_text('{"segments": []}', encoding="utf-8")
    explained = json.loads(call(tmp_path / "a.json", "--questions", tmp_path / "list", "--explain").stdout)
    assert [one["question"] for one in explained["explanation"]] == texts


@pytest.mark.parametrize(
    ("listed", "says"),
    [
        ("\n\n", "lists no questions"),
        ("text,number\n" + "x" * 200_000, "is not CSV"),
        ("number,text\nx,Who pays?\n", "line 2: “x” is not a number"),
        ("number,text\n1,Who pays?\n1,Who cooks?\n", "two questions have the number 1"),
        ("\n".join(["Who?"] * 300), "has more than 200 questions"),
    ],
)
def test_a_list_that_is_none_stops_before_anything_is_aligned(listed: str, says: str, tmp_path: Path) -> None:
    (tmp_path / "list").write_text(listed, encoding="utf-8")
    result = call(tmp_path / "a.json", "--questions", tmp_path / "list")
    assert (result.exit_code, result.stdout) == (2, "")
    assert f"{tmp_path / 'list'}" in result.stderr
    assert says in result.stderr


def test_what_has_no_times_says_so(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("Ann Lee: Who pays for that, and how long will it last?\n\nBo Cole: The council does.\n" * 20)
    result = call(path)
    assert result.exit_code == 3
    assert f"{path}: has no times" in result.stderr
    (tmp_path / "list").write_text("Who pays?", encoding="utf-8")
    other = CliRunner().invoke(main, ["align", "--questions", str(tmp_path / "list")])
    assert other.exit_code == 2
    assert "--questions needs --load" in other.stderr
