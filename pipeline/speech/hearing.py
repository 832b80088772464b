"""Hearing a recording: its speech is decoded piece by piece, and again where the decoder swallowed some."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from pipeline.model import Segment, Word
from pipeline.speech.pieces import BLOCK_SECONDS, SAMPLE_RATE, VAD, Piece, pieces
from pipeline.speech.segments import Heard, suspicions, tidy

Decode = Callable[[NDArray[np.float32], str | None], Iterable[Heard]]

# Nobody takes so long over one word, and the longer pauses are cut out: a whole sentence went missing inside it.
# Measured on the sample show and on LibriSpeech: 4.4 and 5.4 s hid 13 and 14 words, words of up to 2.2 s hid none.
SWALLOWED_SECONDS = 3.0

# What could change the words, beside the engine's own options: part of a transcript's key.
OPTIONS = {"vad": VAD, "block_seconds": BLOCK_SECONDS, "swallowed_seconds": SWALLOWED_SECONDS}


def hear(
    audio: NDArray[np.float32],
    decode: Decode,
    *,
    prompt: str | None = None,
    progress: Callable[[float], None] | None = None,
) -> tuple[Segment, ...]:
    """Decode the speech in a recording.

    Args:
        audio: One channel at 16 kHz, -1 to 1.
        decode: Writes down the speech of one piece, with a prompt before its first window or none.
        prompt: For the first piece.
        progress: Told the seconds of the recording that are done.

    Returns:
        The segments in order, with times in the recording; none where nobody speaks.
    """
    told = progress or (lambda _: None)
    heard: list[Heard] = []
    for piece in pieces(audio):
        for one in decode(piece.samples, prompt):
            whole = [found for word in one.words for found in _unswallowed(word, piece.samples, decode)]
            heard.append(replace(one, words=[_placed(word, piece) for word in whole]))
            if whole:
                told(min(heard[-1].words[-1].end, piece.end))
        told(piece.end)
        prompt = None
    told(audio.size / SAMPLE_RATE)
    return tidy(heard, audio.size / SAMPLE_RATE)


def _unswallowed(word: Word, samples: NDArray[np.float32], decode: Decode) -> Sequence[Word]:
    """A word, or the several that are heard in its place when its stretch of speech is decoded alone."""
    if word.end - word.start < SWALLOWED_SECONDS:
        return [word]
    stretch = samples[round(word.start * SAMPLE_RATE) : round(word.end * SAMPLE_RATE)]
    found = [
        again._replace(start=again.start + word.start, end=again.end + word.start)
        for one in decode(stretch, None)
        if not suspicions(one)
        for again in one.words
    ]
    return found if len(found) > 1 else [word]


def _placed(word: Word, piece: Piece) -> Word:
    # As in faster-whisper, the middle decides to which side of a cut a word belongs.
    shift = piece.shift((word.start + word.end) / 2)
    return word._replace(start=float(word.start) + shift, end=float(word.end) + shift)
