"""Publishers' transcripts, as files and in show notes.

To test one that was read wrongly, add it to tests/data/transcripts, or to tests/data/transcripts_in_notes, with the
expected result.
"""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipeline.errors import NotATranscriptError
from pipeline.feeds.notes import to_text
from pipeline.feeds.transcripts import (
    MAX_TRANSCRIPT_BYTES,
    PublishedTurn,
    find_transcript,
    read_transcript,
    without_transcript,
)

DATA = Path(__file__).parents[1] / "data"
EXPECTED = ".turns.json"
FILES = sorted(path for path in (DATA / "transcripts").iterdir() if not path.name.endswith(EXPECTED))
NOTES = sorted(path for path in (DATA / "transcripts_in_notes").iterdir() if path.suffix != ".json")

SCRAPS = st.sampled_from(
    [
        "WEBVTT", "NOTE", "STYLE", "00:01.000 --> 00:02.000", "00:00:01,000 --> 00:00:02,000", "99:99 --> 00:00", "-->",
        "<v Alma Reed>", "</v>", "<v", "<c>", "<00:01.000>", "{\\an8}", ">> ", "- ", "1\n", "\n\n", "\n", "\r\n", " ",
        '{"segments": [', '{"body": "x", "startTime": ', "1e999", "NaN", "-1", "}", "]}", '"speaker": 3', "[", "{",
        "<cite>", "</cite>", "<time>", "0:03", "</time>", "<p>", "</p>", "<br>", "<!--", "-->", "<script>", "<!doctype",
        "Alma Reed 0:03 ", "Alma Reed: ", "[00:03] Ines: ", "AR: ", "Ines\n", "Well. ", "&amp;", "&#xD800;", "&#0;",
        "\x00", "\x85", "\ud800", "\ufeff", "٣:٣٣", "²", "Dr. ", "O’Brien ", "https://x.example ",
    ]
)  # fmt: skip
ANY_TEXT = st.lists(st.one_of(SCRAPS, st.text(max_size=8)), max_size=40).map("".join)
TYPES = st.sampled_from([None, "text/vtt", "application/srt", "application/json", "text/html", "text/plain", "x"])


def rows(turns: tuple[PublishedTurn, ...]) -> list[list[object]]:
    return [[turn.start, turn.end, turn.speaker, turn.text] for turn in turns]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_files_are_read_as_written_down(path: Path) -> None:
    expected = json.loads(path.with_name(path.name + EXPECTED).read_text(encoding="utf-8"))
    if "error" in expected:
        with pytest.raises(NotATranscriptError) as caught:
            read_transcript(path.read_bytes(), declared=expected["declared"])
        assert expected["error"] in str(caught.value)
        return
    assert rows(read_transcript(path.read_bytes(), declared=expected["declared"])) == expected["turns"]


@pytest.mark.parametrize("path", NOTES, ids=lambda path: path.stem)
def test_transcripts_in_notes_are_found_as_written_down(path: Path) -> None:
    notes = to_text(path.read_text(encoding="utf-8"))
    turns = find_transcript(notes)
    assert [[turn.start, turn.speaker, turn.text] for turn in turns] == json.loads(
        path.with_suffix(".json").read_text()
    )
    before = without_transcript(notes)
    assert all(turn.text not in before for turn in turns)
    if not turns:
        assert before.split() == notes.split()


def test_soft_hyphens_split_no_word_of_a_transcript_in_notes() -> None:
    notes = (DATA / "transcripts_in_notes" / "names_on_lines.txt").read_text(encoding="utf-8")
    assert find_transcript(notes.replace("th", "t\u00adh")) == find_transcript(notes) != ()


def test_every_golden_transcript_has_its_expectation() -> None:
    expected = {path.name.removesuffix(EXPECTED) for path in (DATA / "transcripts").glob(f"*{EXPECTED}")}
    assert expected == {path.name for path in FILES}
    assert {path.stem for path in (DATA / "transcripts_in_notes").glob("*.json")} == {path.stem for path in NOTES}


def check_read_or_refused(content: bytes, declared: str | None) -> None:
    try:
        turns = read_transcript(content, declared=declared)
    except NotATranscriptError:
        return
    assert turns
    for turn in turns:
        assert turn.text == " ".join(turn.text.split()) != ""
        assert turn.speaker is None or turn.speaker.strip()
        assert turn.start is None or 0 <= turn.start <= 360_000
        assert turn.end is None or (turn.start is not None and turn.start <= turn.end)
        json.dumps(rows((turn,)), allow_nan=False).encode()
        f"{turn.speaker}{turn.text}".encode()


@given(st.binary(max_size=300), TYPES)
def test_any_bytes_are_read_or_refused(content: bytes, declared: str | None) -> None:
    check_read_or_refused(content, declared)


@given(ANY_TEXT, TYPES)
@example("[" * 100_000, "application/json")
@example('{"segments": [{"body": "x", "startTime": ' + "9" * 4000 + "}]}", None)
@example('{"segments": [{"body": "\\ud800", "speaker": "\\ud800", "startTime": NaN}]}', None)
@example("<p>&#xD800;</p><cite>&#xD800;</cite><p>x</p><cite>b</cite><p>y</p>", "text/html")
def test_any_text_is_read_or_refused(text: str, declared: str | None) -> None:
    check_read_or_refused(text.encode("utf-8", "surrogatepass"), declared)


@given(
    path=st.sampled_from(FILES),
    changes=st.lists(
        st.tuples(st.integers(0, 2000), st.integers(0, 40), st.binary(max_size=6)), min_size=1, max_size=4
    ),
    declared=TYPES,
)
def test_damaged_files_are_read_or_refused(
    path: Path, changes: list[tuple[int, int, bytes]], declared: str | None
) -> None:
    content = path.read_bytes()
    for place, length, new in changes:
        content = content[:place] + new + content[place + length :]
    check_read_or_refused(content, declared)


@given(ANY_TEXT)
def test_any_notes_are_searched(text: str) -> None:
    notes = to_text(text)
    for turn in find_transcript(notes):
        assert turn.text
    assert without_transcript(notes).split() == notes.split()[: len(without_transcript(notes).split())]


def test_what_is_too_large_is_refused() -> None:
    with pytest.raises(NotATranscriptError, match="20 MB"):
        read_transcript(b"a " * (MAX_TRANSCRIPT_BYTES // 2) + b"a")


def test_more_turns_than_anybody_can_say_are_refused() -> None:
    segments = [{"startTime": number, "body": "Yes."} for number in range(60_000)]
    with pytest.raises(NotATranscriptError, match="50,000 turns"):
        read_transcript(json.dumps({"segments": segments}).encode())


@pytest.mark.parametrize(
    "hostile",
    [
        b"<!--" * 62_000, b"<p" * 125_000, b"<p>" * 75_000, b"<" * 250_000, b"<cite>" * 50_000, b"A" * 250_000,
        b"A " * 125_000, b"Aa Bb " * 37_000, b"A-" * 125_000, b"A\xe2\x80\x99" * 62_000, b"Aa 1:00 " * 30_000,
        b"WEBVTT\n\n" + b"00:01.000 --> 00:02.000\n<v " * 10_000, b"WEBVTT\n\n" + b"00:00 --> 00:00\nx y\n" * 12_000,
        b"WEBVTT\n\n00:00 --> 00:00\n" + b"<" * 250_000, b"WEBVTT\n\n00:00 --> 00:00\n" + b"{\\" * 125_000,
        b"WEBVTT\n\n00:00 --> 00:00\n" + b"a\n \n" * 62_000, b"\n" * 250_000, b" \n" * 125_000 + b"x",
        b"[00:00" * 40_000, b"Alma: " * 40_000, b"Alma Reed: x. " * 17_000,
    ],
    ids=lambda content: content[:24].decode("latin-1").encode("unicode_escape").decode(),
)  # fmt: skip
def test_hostile_files_take_a_bounded_time(hostile: bytes) -> None:
    began = time.process_time()  # CPU time of this process alone
    check_read_or_refused(hostile, "text/html" if hostile.startswith(b"<") else None)
    assert time.process_time() - began < 10


WORD = st.text(alphabet=st.characters(categories=["Ll"], max_codepoint=0x17F), min_size=2, max_size=9)
SENTENCE = st.lists(WORD, min_size=1, max_size=12).map(lambda words: " ".join(words).capitalize() + ".")


@given(
    said=st.lists(st.tuples(st.sampled_from(["Alma Reed", "Ines O’Rourke", "Tom"]), SENTENCE), min_size=1, max_size=20)
)
@settings(max_examples=50)
def test_what_is_written_as_captions_is_read_back(said: list[tuple[str, str]]) -> None:
    cues = [
        f"00:{place:02}:00.000 --> 00:{place:02}:30.500\n<v {speaker}>{text}</v>\n"
        for place, (speaker, text) in enumerate(said)
    ]
    turns = read_transcript(("WEBVTT\n\n" + "\n".join(cues)).encode())
    assert [(turn.speaker, turn.text) for turn in turns] == said
    assert [turn.start for turn in turns] == [60.0 * place for place in range(len(said))]
    assert [turn.end for turn in turns] == [60.0 * place + 30.5 for place in range(len(said))]
