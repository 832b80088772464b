"""The encoding of words in a passage's page, and the description of a transcript's certainty."""

from __future__ import annotations

from itertools import accumulate
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from pipeline.archive.database import reader
from pipeline.archive.reading import Passage, PlacedWord, Provenance, episode
from pipeline.site.making import account, surety
from pipeline.site.spoken import UNSURE, pieces, timing

WORDS = st.lists(
    st.tuples(st.text(min_size=1, max_size=8), st.integers(0, 300), st.integers(0, 200), st.floats(0, 1)), max_size=12
)


def passage(spoken: list[tuple[str, int, int, float]]) -> Passage:
    """A passage of words: text, pause before it and duration in hundredths of a second, and probability."""
    placed, offset, ended = [], 0, 0
    for text, pause, lasting, probability in spoken:
        start, end = ended + pause, ended + pause + lasting
        placed.append(PlacedWord(offset, len(text), start / 100, end / 100, probability))
        offset, ended = offset + len(text) + 1, end
    return Passage(0, 0.0, ended / 100, " ".join(word[0] for word in spoken), None, "other", (), (), tuple(placed))


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
def test_the_times_of_words_are_kept_to_the_hundredth_and_places_as_browsers_count(
    spoken: list[tuple[str, int, int, float]],
) -> None:
    one = passage(spoken)
    numbers = [int(number) for number in timing(one).split()]
    steps = list(accumulate(numbers[0::3]))
    assert numbers[1::3] == [pause for _, pause, _, _ in spoken]
    assert numbers[2::3] == [lasting for _, _, lasting, _ in spoken]
    units = one.text.encode("utf-16-le", "surrogatepass")
    for (text, *_), step in zip(spoken, steps, strict=True):
        assert units[2 * step :].startswith(text.encode("utf-16-le", "surrogatepass"))


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
