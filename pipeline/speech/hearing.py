"""Transcribing a recording from samples to segments: windows are decoded in parallel, judged, and put together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property, partial
from importlib.metadata import version
from itertools import chain
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from pipeline.audio.rate import SAMPLE_RATE
from pipeline.errors import SpeechError
from pipeline.model import Segment, Word
from pipeline.progress import Progress
from pipeline.speech.cores import Neighbours
from pipeline.speech.decoder import Decoder, Heard
from pipeline.speech.forced import LANGUAGE as FOUND_BY_SOUND
from pipeline.speech.forced.aligner import ForcedAligner
from pipeline.speech.gate import Verdict, pass_gate, speech_in
from pipeline.speech.journal import Journal, NoJournal
from pipeline.speech.lanes import in_lanes
from pipeline.speech.segments import make_segments
from pipeline.speech.speakers.voices import Voices
from pipeline.speech.vocabulary import listen_for
from pipeline.speech.windows import Samples, Window, windows
from pipeline.speech.words import fit, in_order, whole
from pipeline.whisper_models import EngineName, whisper_language

# Increment this whenever windows, gate or word times change: it is part of a transcript's key.
HEARING_VERSION = 4

HearVoices = Callable[[Window], Voices]
_NO_SAMPLES = np.empty(0, np.float32)


@dataclass(frozen=True, slots=True)
class GateDecision:
    """The gate's decision on a window that did not pass at once; times in seconds of the recording."""

    start: float
    end: float
    tried: tuple[tuple[str, tuple[str, ...]], ...]
    flags: tuple[str, ...]
    dropped: str
    language: str

    def as_json(self) -> dict[str, Any]:
        """The same as plain JSON."""
        tried = [[action, list(faults)] for action, faults in self.tried]
        return {**asdict(self), "tried": tried, "flags": list(self.flags)}


@dataclass(frozen=True, slots=True)
class Hearing:
    """The result of transcribing a recording.

    Attributes:
        segments: Sentences in order, with words in order and without overlap; empty if nobody speaks.
        duration: Of the recording, in seconds.
        speech: The stretches of speech, in seconds, in order.
        windows: The number of windows.
        decisions: The gate's decisions on windows that did not pass at once.
        languages: Seconds of speech in each language, by Whisper's code.
        voices: The voices in each window, if requested.
        peak: The largest sample, 0 to 1; None if unknown.
    """

    segments: tuple[Segment, ...]
    duration: float
    speech: tuple[tuple[float, float], ...] = ()
    windows: int = 0
    decisions: tuple[GateDecision, ...] = ()
    languages: Mapping[str, float] = field(default_factory=dict)
    voices: Sequence[Voices] = ()
    peak: float | None = None

    def report(self) -> dict[str, Any]:
        """The report of the gate, which is stored with a transcript, as plain JSON."""
        return {
            "windows": self.windows,
            "speech_seconds": round(sum(end - start for start, end in self.speech), 1),
            "languages": {code: round(seconds, 1) for code, seconds in self.languages.items()},
            "decisions": [decision.as_json() for decision in self.decisions],
        }


@dataclass(frozen=True, slots=True)
class _Listen:
    """The parameters that are the same for every window of a recording."""

    language: str
    terms: tuple[str, ...]
    journal: Journal
    voices: HearVoices | None


@dataclass(frozen=True, slots=True)
class _Result:
    window: Window
    verdict: Verdict
    voices: Voices | None


class WindowedEngine:
    """An ``Engine`` (see there) around a decoder, with the same windows, gate and word times for all decoders."""

    def __init__(self, decoder: Decoder) -> None:
        self._decoder = decoder
        self._aligner = ForcedAligner()

    @property
    def name(self) -> EngineName:
        """See ``Engine.name``."""
        return self._decoder.name

    @property
    def model(self) -> str:
        """See ``Engine.model``."""
        return self._decoder.model

    @cached_property
    def options(self) -> Mapping[str, object]:
        """See ``Engine.options``."""
        return {**self._decoder.options, "hearing": HEARING_VERSION, "pocketsphinx": version("pocketsphinx")}

    def transcribe(
        self,
        blocks: Iterable[Samples],
        *,
        language: str,
        terms: Sequence[str] = (),
        progress: Progress | None = None,
        journal: Journal | None = None,
        voices: HearVoices | None = None,
    ) -> Hearing:
        """See ``Engine.transcribe``."""
        told = progress or (lambda _: None)
        recording = _Counted(blocks)
        listen = _Listen(whisper_language(language), tuple(terms), journal or NoJournal(), voices)
        results: list[_Result] = []
        try:
            # The lanes are the threads here; numpy's own would only compete with them.
            with threadpool_limits(1, "blas"):
                for result in self._results(windows(recording), listen):
                    results.append(result)
                    told(result.window.end)
        except (OSError, RuntimeError, ValueError) as error:
            raise SpeechError(f"{self.name} failed: {error}") from error
        told(recording.seconds)
        return replace(_put_together(results, recording.seconds), peak=recording.peak)

    def _results(self, found: Iterator[Window], listen: _Listen) -> Iterator[_Result]:
        """Decode windows in as many threads as the decoder allows, and yield the results in order."""
        first = next(found, None)
        if first is None:
            return  # nobody speaks, so no weights are needed
        self._decoder.load(listen.language)

        def hear(group: Sequence[Window]) -> list[_Result]:
            return self._listen(group, listen)

        yield from in_lanes(chain([first], found), hear, self._decoder.lanes, crowded=Neighbours().crowd)

    def _listen(self, group: Sequence[Window], listen: _Listen) -> list[_Result]:
        """Decode a group of windows in one batch, and again those that do not pass the gate."""
        verdicts = {window.spans: verdict for window in group if (verdict := listen.journal.find(window))}
        new = [window for window in group if window.spans not in verdicts]
        if new:
            decoded = self._decoder.decode([window.samples for window in new], language=listen.language)
            for window, one in zip(new, decoded, strict=True):
                verdict = pass_gate(
                    self._timed(one, window),
                    window,
                    again=partial(self._again, language=one.language),
                    carefully=partial(self._carefully, language=one.language),
                )
                verdict = self._with_terms(verdict, window, listen.terms)
                verdicts[window.spans] = replace(verdict, heard=_fitted(verdict.heard, window))
            listen.journal.add([(window, verdicts[window.spans]) for window in new])
        return [self._result(window, verdicts[window.spans], listen.voices) for window in group]

    def _result(self, window: Window, verdict: Verdict, voices: HearVoices | None) -> _Result:
        heard = voices(window) if voices else None
        # Without the samples, since results are kept in memory until the end of the recording.
        return _Result(replace(window, samples=_NO_SAMPLES), verdict, heard)

    def _timed(self, heard: Heard, window: Window) -> Heard:
        """Join split words, and align English ones: the gate infers missed speech from their times."""
        words = whole(heard.words)
        if heard.language == FOUND_BY_SOUND:
            words = self._aligner.find(words, window.samples) or fit(words, speech_in(window))
        return replace(heard, words=tuple(words))

    def _with_terms(self, verdict: Verdict, window: Window, terms: Sequence[str]) -> Verdict:
        prompted = partial(self._again, window, language=verdict.heard.language)
        heard, adopted = listen_for(verdict.heard, terms, prompted)
        if adopted:
            heard = self._timed(heard, window)
        tried = ((f"heard as {', '.join(adopted)}", verdict.flags),) if adopted else ()
        return replace(verdict, heard=heard, tried=verdict.tried + tried)

    def _again(self, part: Window, prompt: str | None = None, *, language: str) -> Heard:
        return self._timed(self._decoder.decode([part.samples], language=language, prompt=prompt)[0], part)

    def _carefully(self, part: Window, *, language: str) -> Heard:
        return self._timed(self._decoder.decode_carefully(part.samples, language=language), part)


def _fitted(heard: Heard, window: Window) -> Heard:
    """Fit the word times to speech if they only come from Whisper's attention."""
    if heard.language == FOUND_BY_SOUND:
        return heard
    return replace(heard, words=tuple(fit(heard.words, speech_in(window))))


class _Counted:
    """Blocks of samples, counting the seconds consumed; ``peak`` is the largest sample so far, 0 to 1."""

    def __init__(self, blocks: Iterable[Samples]) -> None:
        self._blocks = blocks
        self._samples = 0
        self.peak = 0.0

    def __iter__(self) -> Iterator[Samples]:
        for block in self._blocks:
            self._samples += block.size
            self.peak = max(self.peak, float(np.abs(block).max(initial=0.0)))
            yield block

    @property
    def seconds(self) -> float:
        return self._samples / SAMPLE_RATE


def _put_together(results: Sequence[_Result], duration: float) -> Hearing:
    speech = tuple(
        (start / SAMPLE_RATE, end / SAMPLE_RATE) for result in results for start, end in result.window.speech
    )
    words = [_placed(word, result.window) for result in results for word in result.verdict.heard.words]
    flags = [
        (result.window.start, result.window.end, result.verdict.flags) for result in results if result.verdict.flags
    ]
    languages: dict[str, float] = {}
    for result in results:
        if result.verdict.heard.words:
            code = result.verdict.heard.language
            languages[code] = languages.get(code, 0.0) + result.window.speech_seconds
    return Hearing(
        segments=make_segments(in_order(words, duration), flags),
        duration=duration,
        speech=speech,
        windows=len(results),
        decisions=tuple(
            _decision(result.window, result.verdict)
            for result in results
            if len(result.verdict.tried) > 1 or result.verdict.dropped
        ),
        languages=languages,
        voices=tuple(result.voices for result in results if result.voices is not None),
    )


def _decision(window: Window, verdict: Verdict) -> GateDecision:
    return GateDecision(
        round(window.start, 2),
        round(window.end, 2),
        verdict.tried,
        verdict.flags,
        verdict.dropped,
        verdict.heard.language,
    )


def _placed(word: Word, window: Window) -> Word:
    """A word with its times in the recording; its midpoint decides on which side of a cut it is."""
    middle = (word.start + word.end) / 2
    shift = window.in_recording(middle) - middle
    return word._replace(start=word.start + shift, end=word.end + shift)
