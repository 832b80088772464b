"""Why the machine itself was not sure of a passage, in words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

FLAGS: Mapping[str, str] = {
    "repetition": "the text repeats itself",
    "low_confidence": "the words are uncertain",
    "maybe_no_speech": "perhaps nobody speaks here",
    "missing_words": "something that was said is not written",
    "too_fast": "more words than can be said in that time",
    "no_punctuation": "sentences run into each other",
    "stock_phrase": "a phrase that Whisper invents over noise",
}


def doubts(flags: Iterable[str]) -> str:
    """Say why a passage should be listened to before it is quoted; empty where there are no ``flags``."""
    return "; ".join(FLAGS.get(flag, flag.replace("_", " ")) for flag in flags)
