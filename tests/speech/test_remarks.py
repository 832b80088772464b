"""What a run and ``transcribe --load`` say of what was heard."""

from __future__ import annotations

import pytest

from pipeline.sample import DATA
from pipeline.speech.channels import Channels
from pipeline.speech.hearing import GateDecision, Hearing
from pipeline.speech.remarks import remarks


@pytest.mark.parametrize(
    ("flags", "dropped", "said"),
    [
        (("missing_words",), "", ["1 of 1 windows decoded again", "no word of the speech in it was heard"]),
        ((), "Thank you.", ["1 without speech dropped", "no speech was found in it"]),
    ],
)
def test_speech_without_a_word_is_not_taken_for_silence(flags: tuple[str, ...], dropped: str, said: list[str]) -> None:
    decision = GateDecision(0.0, 20.0, (), flags, dropped, "en")
    hearing = Hearing((), 20.0, ((0.0, 20.0),), 1, (decision,), peak=0.5)
    assert remarks(hearing, Channels(DATA / "episode-1.mp3"), language="en") == said
