"""The encoding of words in a passage's page, and the description of a transcript's certainty."""

from __future__ import annotations

from dataclasses import replace
from itertools import accumulate, combinations_with_replacement
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from pipeline.archive.database import reader
from pipeline.archive.reading import Passage, PlacedWord, Provenance, episode
from pipeline.archive.said import Stretch, between
from pipeline.archive.said import pieces as quotable_pieces
from pipeline.model import Word
from pipeline.site.making import account, surety
from pipeline.site.spoken import UNSURE, pieces, timing

WORDS = st.lists(
    st.tuples(st.text(min_size=1, max_size=8), st.integers(0, 3000), st.integers(0, 2000), st.floats(0, 1)), max_size=12
)


def passage(spoken: list[tuple[str, int, int, float]]) -> Passage:
    """A passage of words: text, pause before it and duration in milliseconds, and probability."""
    placed, offset, ended = [], 0, 0
    for text, pause, lasting, probability in spoken:
        start, end = ended + pause, ended + pause + lasting
        placed.append(PlacedWord(offset, len(text), start / 1000, end / 1000, probability))
        offset, ended = offset + len(text) + 1, end
    return Passage(0, 0.0, ended / 1000, " ".join(word[0] for word in spoken), None, "other", (), (), tuple(placed))


@given(WORDS)
def test_the_pieces_are_the_text_and_only_doubtful_words_are_set_apart(
    spoken: list[tuple[str, int, int, float]],
) -> None:
    found = list(pieces(passage(spoken)))
    assert "".join(text for text, _ in found) == passage(spoken).text
    assert [(text, chance) for text, chance in found if chance is not None] == [
        (text, probability) for text, _, _, probability in spoken if probability < UNSURE
    ]


@given(WORDS)
def test_the_times_of_words_are_kept_to_the_millisecond_and_places_as_browsers_count(
    spoken: list[tuple[str, int, int, float]],
) -> None:
    one = passage(spoken)
    numbers = timing(one).split()
    steps = list(accumulate(map(int, numbers[0::3])))
    assert [round(float(pause) * 10) for pause in numbers[1::3]] == [pause for _, pause, _, _ in spoken]
    assert [round(float(lasting) * 10) for lasting in numbers[2::3]] == [lasting for _, _, lasting, _ in spoken]
    units = one.text.encode("utf-16-le", "surrogatepass")
    for (text, *_), step in zip(spoken, steps, strict=True):
        assert units[2 * step :].startswith(text.encode("utf-16-le", "surrogatepass"))


def test_words_to_the_hundredth_of_a_second_need_no_decimals() -> None:
    spoken = [("one", 3_599_794, 300, 1.0), ("two", 0, 150, 1.0), ("three", 0, 3, 1.0)]
    assert timing(passage(spoken)) == "0 359979.4 30 4 0 15 4 0 0.3"


def test_each_selection_is_quoted_as_it_is_where_many_words_share_little_time() -> None:
    words = [Word(n * 0.0027, (n + 1) * 0.0027, f"word{n}", 1.0) for n in range(12)]  # as an editor may have put in
    said = " ".join(word.text for word in words)
    stretch = Stretch(0.0, words[-1].end, said, None, None, "other", (), (), tuple(words))
    quotable = list(quotable_pieces([stretch]))
    placed = [PlacedWord(piece.begin, piece.stop - piece.begin, piece.start, piece.end, 1.0) for piece in quotable]
    numbers = [float(number) for number in timing(replace(passage([]), text=said, words=tuple(placed))).split()]
    times = list(accumulate(number for n, number in enumerate(numbers) if n % 3))  # start, end, start, end, …
    for first, last in combinations_with_replacement(range(len(words)), 2):
        start, end = round(times[2 * first] * 10) / 1000, round(times[2 * last + 1] * 10) / 1000
        assert between(quotable, start, end) == quotable[first : last + 1]


def test_how_sure_a_transcript_is_is_said_in_words() -> None:
    options = {
        "weights": "1a5afae06a4db91c",
        "beam_size": 5,
        "compute_type": "int8",
        "pocketsphinx": "5.1.1",
        "speakers": 2,
        "terms": [f"Name {n}" for n in range(14)],
        "versions": {"faster-whisper": "1.2.1", "ctranslate2": "4.8.5"},
    }
    source = Provenance("whisper", "faster-whisper", "tiny.en", "en-GB", "2026-01-02T03:04:05Z", "ab", options, 0.0525)
    said = passage([("sure", 0, 10, 0.9), ("unsure", 0, 10, 0.3)])
    assert dict(account(source, surety([said]))) == {
        "Model": "tiny.en, weights 1a5afae06a4d…",
        "Engine": "faster-whisper 1.2.1, ctranslate2 4.8.5; beam of 5; computed in int8; "
        "word times by forced alignment (pocketsphinx 5.1.1)",
        "Language": "en-GB",
        "Expected words": ", ".join(f"Name {n}" for n in range(12)) + " and 2 more",
        "Speakers": "2, as configured",
        "Certainty": "medium confidence (0.60) in a word on average; 50.0% of the words doubtful; no passage flagged",
        "Compared with the publisher’s": "5.2% of the words differ from the publisher’s own",
    }


def test_a_publishers_transcript_claims_no_machine() -> None:
    source = Provenance("publisher", "publisher", "text/vtt", "en", "2026-01-02T03:04:05Z", "ab", {"where": "feed"})
    assert dict(account(source, surety([]))) == {"Format": "text/vtt", "Language": "en"}


def test_in_the_sample_show_few_words_are_doubtful(demo_db: Path) -> None:
    with reader(demo_db) as connection:
        (one, *_) = (row[0] for row in connection.execute("select id from episodes order by published").fetchall())
        found = episode(connection, one)
    assert found is not None
    sure = surety(found.passages)
    assert 0 < sure.unsure_words < 0.05 * sure.words
    assert found.provenance is not None
    assert found.provenance.options["beam_size"] == 5
