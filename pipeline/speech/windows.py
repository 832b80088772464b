"""The windows for a decoder: speech only, at most 30 s, cut at pauses, with a mapping to the recording's time.

Whisper's input is 30 s (arXiv 2212.04356, section 2.2); words are cut where that ends, and sentences hallucinated where
nobody speaks. So long silences and music are left out, and speech is packed into windows as long as possible (cut and
merge of WhisperX, arXiv 2303.00747, section 2.2).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.audio.rate import SAMPLE_RATE
from pipeline.speech.activity import FRAME, NO_FRAMES, Detector, Frames, speech_spans

Span = tuple[int, int]  # start and end (exclusive)
Samples = NDArray[np.float32]

BLOCK_SECONDS = 64  # of audio are processed at once: a whole number of frames, and little memory
LONGEST = 30 * SAMPLE_RATE // FRAME  # frames: Whisper's input
SHORTEST = 20 * SAMPLE_RATE // FRAME  # frames: a window may end this early at a longer pause
PAD = 12  # frames, 0.38 s: the part of pauses that is kept around speech
LONGEST_SILENCE = BLOCK_SECONDS * SAMPLE_RATE // FRAME  # frames, after which no window is kept open
LONG_PAUSE = 31  # frames, 1 s: longer pauses are no better places for a cut


class Stretch(NamedTuple):
    """Speech with part of the pauses around it, and the length of the whole pause after it, in frames."""

    start: int
    end: int
    pause: int


@dataclass(frozen=True, slots=True)
class Window:
    """Up to 30 s of speech from one or more spans of a recording, concatenated.

    Attributes:
        samples: Mono at 16 kHz.
        spans: The spans of the recording that these samples come from, in samples.
        speech: The stretches of speech, in samples of the recording; each lies within a span.
    """

    samples: Samples
    spans: tuple[Span, ...]
    speech: tuple[Span, ...]

    @property
    def start(self) -> float:
        """Its start in the recording, in seconds."""
        return self.spans[0][0] / SAMPLE_RATE

    @property
    def end(self) -> float:
        """Its end in the recording, in seconds."""
        return self.spans[-1][1] / SAMPLE_RATE

    @property
    def speech_seconds(self) -> float:
        """The seconds of speech in it."""
        return sum(end - start for start, end in self.speech) / SAMPLE_RATE

    def in_recording(self, seconds: float) -> float:
        """Convert a time of the window to the recording, in seconds; a cut belongs to the span that follows it."""
        at = seconds * SAMPLE_RATE
        for start, end in self.spans[:-1]:
            if at < end - start:
                return (start + at) / SAMPLE_RATE
            at -= end - start
        return (self.spans[-1][0] + at) / SAMPLE_RATE

    def in_window(self, seconds: float) -> float:
        """Convert a time of the recording to the window, in seconds; times that were left out are at the cut."""
        at, before = seconds * SAMPLE_RATE, 0
        for start, end in self.spans:
            if at < end:
                return (before + max(0.0, at - start)) / SAMPLE_RATE
            before += end - start
        return before / SAMPLE_RATE


def windows(blocks: Iterable[Samples]) -> Iterator[Window]:
    """Cut the speech of a recording into windows.

    Args:
        blocks: The recording's samples in order (mono, 16 kHz, -1 to 1), in blocks of any size. They are consumed
            lazily, and kept only until they are in a window.
    """
    detector, held, frames, first = Detector(), np.empty(0, np.float32), NO_FRAMES, 0
    for block, is_last in even(blocks, BLOCK_SECONDS * SAMPLE_RATE):
        held = np.concatenate([held, block])
        frames += detector.hear(block)
        spans = speech_spans(frames)
        plan = pack(pad(spans, len(frames.speech)), frames)
        # The last window may still grow, and its end may be the beginning of a word; but it must not keep a long
        # silence after it in memory.
        count = len(frames.speech)
        if plan and not is_last and count - plan[-1][-1].end < LONGEST_SILENCE:
            done = plan.pop()[0].start
        else:
            done = max(0, count - 2 * PAD)
        for parts in plan:
            yield _window(parts, spans, held, first)
        frames = frames.since(done, speaking=any(start < done < end for start, end in spans))
        held, first = held[done * FRAME :], first + done


def pad(spans: Sequence[Span], count: int) -> list[Stretch]:
    """Keep part of the pause around each span of speech; where two would overlap they meet in the middle.

    Args:
        spans: Stretches of speech in order, in frames.
        count: The number of frames.
    """
    stretches = []
    for (_, before), (start, end), (after, _) in zip([(0, 0), *spans], spans, [*spans[1:], (count, 0)], strict=False):
        first = max(start - PAD, (before + start) // 2 if before else 0)
        last = min(end + PAD, (end + after) // 2 if after < count else count)
        stretches.append(Stretch(first, last, after - end))
    return stretches


def pack(stretches: Sequence[Stretch], frames: Frames) -> list[list[Stretch]]:
    """Pack speech into windows of at most ``LONGEST`` frames, each ending at the longest pause near its end.

    Args:
        stretches: Padded speech in order; one that is longer than a window is cut where it is quietest.
        frames: The data of each frame.
    """
    packed: list[list[Stretch]] = []
    window: list[Stretch] = []
    waiting = list(reversed(stretches))
    while waiting:
        stretch = waiting.pop()
        if _length([*window, stretch]) <= LONGEST:
            window.append(stretch)
        elif window:
            cut = _best_cut(window)
            packed.append(window[:cut])
            waiting += [stretch, *reversed(window[cut:])]
            window = []
        else:
            at = _stillest(frames, stretch.start + SHORTEST, stretch.start + LONGEST)
            packed.append([Stretch(stretch.start, at, 0)])
            waiting.append(stretch._replace(start=at))
    return [*packed, window] if window else packed


def _best_cut(window: Sequence[Stretch]) -> int:
    """The number of stretches before the cut: at the longest pause with a long enough window, the last if tied."""
    lengths = np.cumsum([stretch.end - stretch.start for stretch in window])
    fitting = [n for n, length in enumerate(lengths) if length >= SHORTEST] or [len(window) - 1]
    return 1 + max(fitting, key=lambda n: (min(window[n].pause, LONG_PAUSE), n))


def _stillest(frames: Frames, start: int, end: int) -> int:
    """The quietest frame between these two."""
    # Averaged over a tenth of a second, since a single quiet frame may lie inside a word.
    level = np.convolve(frames.level[start:end], np.ones(3) / 3, mode="same")
    level[[0, -1]] = np.inf  # their averages include padding
    return start + int(level.argmin())


def _window(parts: Sequence[Stretch], speech: Sequence[Span], held: Samples, first: int) -> Window:
    """Make a window of frames ``parts`` from the samples ``held``, which begin at frame ``first`` of the recording."""
    here: list[Span] = []
    for part in parts:
        begin = here.pop()[0] if here and here[-1][1] == part.start * FRAME else part.start * FRAME
        here.append((begin, min(part.end * FRAME, held.size)))
    said = [(max(a * FRAME, start), min(b * FRAME, end)) for start, end in here for a, b in speech]
    shift = first * FRAME
    return Window(
        samples=np.concatenate([held[start:end] for start, end in here]),
        spans=tuple((start + shift, end + shift) for start, end in here),
        speech=tuple((start + shift, end + shift) for start, end in said if start < end),
    )


def _length(stretches: Iterable[Stretch]) -> int:
    return sum(stretch.end - stretch.start for stretch in stretches)


def even(blocks: Iterable[Samples], size: int) -> Iterator[tuple[Samples, bool]]:
    """Yield the same samples in blocks of this size, each with a flag for the last one, which may be shorter."""
    waiting: list[Samples] = []
    count = 0
    for block in blocks:
        waiting.append(block)
        count += block.size
        while count > size:
            joined = np.concatenate(waiting)
            yield joined[:size], False
            waiting, count = [joined[size:]], count - size
    yield np.concatenate([*waiting, np.empty(0, np.float32)]), True
