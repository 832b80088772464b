"""Explanations of the quality flags of transcript segments."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

FLAGS: Mapping[str, str] = {
    "repetition": "the text repeats itself",
    "low_confidence": "the words are uncertain",
    "maybe_no_speech": "perhaps nobody speaks here",
    "missing_words": "something that was said is missing",
    "too_fast": "more words than can be said in that time",
    "no_punctuation": "sentences run into each other",
    "stock_phrase": "a phrase that Whisper invents over noise",
}


def doubts(flags: Iterable[str]) -> str:
    """Return the reasons to listen to a passage before quoting it; empty without ``flags``."""
    return "; ".join(FLAGS.get(flag, flag.replace("_", " ")) for flag in flags)
