"""The quality gate: every window's words are judged, and decoded again if they cannot be right.

Whisper repeats itself, stops early, and hallucinates sentences over noise; batched decoding has no guard against that.
The thresholds of the first three faults are Whisper's own (arXiv 2212.04356, section 4.5).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from pipeline.audio.rate import SAMPLE_RATE
from pipeline.model import Word
from pipeline.speech.decoder import Heard
from pipeline.speech.windows import Window

# Whisper's most common hallucinations where nobody speaks: its training data had them with silence and music.
STOCK_PHRASES = (
    "thank you", "thanks for watching", "thank you for watching", "please subscribe", "subscribe to my channel",
    "subtitles by the amara org community", "transcription by castingwords", "you", "bye", "the end", "so",
    "thank you very much", "see you next time", "i'll see you in the next video", "okay",
)  # fmt: skip
# Faults that suggest hallucinated words.
INVENTED = frozenset({"repetition", "maybe_no_speech", "too_fast", "stock_phrase"})
MILD = frozenset({"missing_words", "no_punctuation"})  # faults of words that were probably said
LITTLE_SPEECH = 1.5  # seconds; in a window with less, a stock phrase and a high no-speech probability are faults
MISSED_SECONDS = 1.0  # speech without words for at least this long was missed
MOSTLY_MISSED = 0.5  # of the speech in a window
WORD_SECONDS = 1.5  # no spoken word lasts longer: the rest of a longer one is untranscribed speech
MOST_STOPS = 4  # of the decoder in one stretch; it stops where the speaker changes, which is not often in 30 s
SLACK_SECONDS = 0.1  # the accuracy of the times of words and of speech


@dataclass(frozen=True, slots=True)
class Verdict:
    """The outcome for a window: its final words, their remaining faults, the attempts, and text that was dropped.

    ``tried`` has one entry for each attempt: what was done, and the faults of its result.
    """

    heard: Heard
    flags: tuple[str, ...]
    tried: tuple[tuple[str, tuple[str, ...]], ...]
    dropped: str = ""


def faults(heard: Heard, window: Window) -> tuple[str, ...]:
    """Return the faults of a window's words; empty if all seems well."""
    words = [_bare(word.text) for word in heard.words]
    speech = window.speech_seconds
    signs = {
        "repetition": heard.compression_ratio > 2.4 or _repeats(words),
        "low_confidence": heard.avg_logprob < -1.0,
        "maybe_no_speech": heard.no_speech_prob > 0.6 and (heard.avg_logprob < -1.0 or speech < LITTLE_SPEECH),
        "too_fast": len(words) > 7 * max(speech, 0.5) + 2,
        "no_punctuation": len(words) >= 30 and not any(re.search(r"[.,?!。，？！]", word.text) for word in heard.words),
        "stock_phrase": (speech < LITTLE_SPEECH or _is_mostly_missed(heard, window))
        and " ".join(words) in STOCK_PHRASES
        and _is_in_doubt(heard),
        "missing_words": bool(missed(heard.words, window)),
    }
    return tuple(sign for sign, seen in signs.items() if seen)


def _is_in_doubt(heard: Heard) -> bool:
    """Whether the decoder doubts the whole window: people do say “Thank you.”, and then it does not.

    Over music, silence and noise its log-probability was at most -1.13, its no-speech probability at least 0.49;
    where somebody says it, -0.17 and 0.08 (measured with ``tiny.en``).
    """
    return heard.avg_logprob < -0.7 or heard.no_speech_prob > 0.4


def missed(words: Sequence[Word], window: Window) -> list[tuple[float, float]]:
    """Find the stretches of speech without words, in seconds relative to the window."""
    spoken = [(word.start - SLACK_SECONDS, min(word.end, word.start + WORD_SECONDS) + SLACK_SECONDS) for word in words]
    found = []
    for first, last in speech_in(window):
        at = first
        for start, end in [*spoken, (last, last)]:
            if min(start, last) - at >= MISSED_SECONDS:
                found.append((at, min(start, last)))
            at = max(at, end)
    return found


def speech_in(window: Window) -> list[tuple[float, float]]:
    """The stretches of speech in a window, in seconds relative to it."""
    return [
        (start_in, start_in + (end - start) / SAMPLE_RATE)
        for start, end in window.speech
        for start_in in [window.in_window(start / SAMPLE_RATE)]
    ]


def pass_gate(
    heard: Heard,
    window: Window,
    *,
    again: Callable[[Window], Heard],
    carefully: Callable[[Window], Heard],
) -> Verdict:
    """Judge a window's words, and decode it again until they pass or nothing helps.

    Args:
        heard: The result of the first pass.
        window: The window.
        again: Decodes a part of it in one pass.
        carefully: Decodes it, or a part, sequentially, with temperature fallback.
    """
    best, wrong = heard, faults(heard, window)
    tried = [("decoded", wrong)]
    if window.speech_seconds < LITTLE_SPEECH and INVENTED & set(wrong):
        return Verdict(replace(heard, words=()), (), tuple(tried), dropped=heard.text)
    attempts: list[tuple[str, Callable[[Heard], Heard | None]]] = [
        ("missed speech decoded alone", lambda best: _with_missed(best, window, again)),
    ]
    # If only some words are missing, those heard may well be right, and another decoding has other mistakes. If most
    # are missing, the times of the rest are meaningless: Whisper spreads them over the whole window.
    if not heard.words or wrong != ("missing_words",) or _is_mostly_missed(heard, window):
        attempts = [
            ("decoded carefully", lambda _: carefully(window)),
            ("split at its longest pause", lambda _: _in_halves(window, again, carefully)),
            *attempts,
        ]
    for action, attempt in attempts:
        if not wrong:
            break
        other = attempt(best)
        if other is None:
            continue
        others = faults(other, window)
        tried.append((action, others))
        if _rank(other, others, window) < _rank(best, wrong, window):
            best, wrong = other, others
    if "stock_phrase" in wrong:  # over a murmur, say: that something was said is told by the flags
        left = tuple(sign for sign in wrong if sign not in INVENTED)
        return Verdict(replace(best, words=()), left, tuple(tried), dropped=best.text)
    return Verdict(best, wrong, tuple(tried))


def _rank(heard: Heard, wrong: tuple[str, ...], window: Window) -> tuple[int, int, int, float]:
    """A sort key, lower is better: hallucinations, then speech without words, other faults, and log-probability."""
    silent = _missed_seconds(heard, window)
    others = set(wrong) - INVENTED - {"missing_words"}
    return (len(INVENTED & set(wrong)), round(silent), len(others), -heard.avg_logprob)


def _missed_seconds(heard: Heard, window: Window) -> float:
    return sum(end - start for start, end in missed(heard.words, window))


def _is_mostly_missed(heard: Heard, window: Window) -> bool:
    return _missed_seconds(heard, window) > MOSTLY_MISSED * window.speech_seconds


def _in_halves(window: Window, again: Callable[[Window], Heard], carefully: Callable[[Window], Heard]) -> Heard | None:
    """Decode the parts before and after the window's longest pause separately; None if there is no pause."""
    speech = speech_in(window)
    total = window.samples.size / SAMPLE_RATE
    # Pauses are weighted by their distance from the ends: one near an end would leave the other part almost unchanged.
    pauses = [
        ((after - before) * min(before, total - after), (before + after) / 2)
        for (_, before), (after, _) in pairwise(speech)
    ]
    if not pauses:
        return None
    middle = round(max(pauses)[1] * SAMPLE_RATE)
    halves = [_part(window, 0, middle), _part(window, middle, window.samples.size)]
    heard = []
    for half in halves:
        first = again(half)
        heard.append(carefully(half) if faults(first, half) else first)
    return _joined([(0.0, heard[0]), (middle / SAMPLE_RATE, heard[1])])


def _with_missed(heard: Heard, window: Window, again: Callable[[Window], Heard]) -> Heard | None:
    """Decode the stretches of speech without words separately, and add the results that seem right."""
    stretches = _unbroken(missed(heard.words, window), heard.words)
    parts = [part for start, end in stretches for part in _heard_alone(start, end, window, again)]
    return _joined([(0.0, heard), *parts]) if stretches else None


def _heard_alone(
    start: float, end: float, window: Window, again: Callable[[Window], Heard]
) -> Iterator[tuple[float, Heard]]:
    """Decode a stretch of a window, and again the rest whenever the decoder stops early; yields start and result."""
    for _ in range(MOST_STOPS):
        first = max(0, round((start - SLACK_SECONDS) * SAMPLE_RATE))
        stretch = _part(window, first, round((end + SLACK_SECONDS) * SAMPLE_RATE))
        found = again(stretch)
        if not _may_be_added(found, stretch):
            return
        yield first / SAMPLE_RATE, found
        start = first / SAMPLE_RATE + found.words[-1].end + SLACK_SECONDS
        if end - start < MISSED_SECONDS:
            return


def _may_be_added(found: Heard, stretch: Window) -> bool:
    words = [_bare(word.text) for word in found.words]
    return bool(words) and set(faults(found, stretch)) <= MILD and " ".join(words) not in STOCK_PHRASES


def _unbroken(stretches: Sequence[tuple[float, float]], words: Sequence[Word]) -> list[tuple[float, float]]:
    """Join stretches with no word between them: a decoder that stopped early missed everything after."""
    joined: list[tuple[float, float]] = []
    for start, end in stretches:
        goes_on = joined and not any(joined[-1][1] <= word.start < start for word in words)
        joined.append((joined.pop()[0] if goes_on else start, end))
    return joined


def _part(window: Window, first: int, last: int) -> Window:
    """The part of a window between two sample indices, as a window whose recording is the original window."""
    speech = [(round(start * SAMPLE_RATE), round(end * SAMPLE_RATE)) for start, end in speech_in(window)]
    last = min(last, window.samples.size)
    inside = [(max(start, first) - first, min(end, last) - first) for start, end in speech]
    return Window(
        samples=window.samples[first:last],
        spans=((0, last - first),),
        speech=tuple(span for span in inside if span[0] < span[1]),
    )


def _joined(parts: Sequence[tuple[float, Heard]]) -> Heard:
    """Merge several results, each given with the second at which its part begins."""
    words = [
        word._replace(start=word.start + shift, end=word.end + shift) for shift, heard in parts for word in heard.words
    ]
    counts = [max(1, len(heard.words)) for _, heard in parts]
    return Heard(
        words=tuple(_without_overlap(sorted(words, key=lambda word: word.start))),
        avg_logprob=sum(n * heard.avg_logprob for n, (_, heard) in zip(counts, parts, strict=True)) / sum(counts),
        no_speech_prob=min(heard.no_speech_prob for _, heard in parts),
        language=parts[0][1].language,
    )


def _without_overlap(words: Sequence[Word]) -> Iterator[Word]:
    """Cut a word that was stretched over missed speech at the start of the words found there."""
    for word, following in zip(words, [*words[1:], None], strict=False):
        yield word._replace(end=min(word.end, following.start)) if following else word


def _repeats(words: Sequence[str]) -> bool:
    """Tell whether a run of five words occurs three times, as in loops, which the decoder is confident of."""
    runs = Counter(zip(*(words[n:] for n in range(5)), strict=False))
    return bool(runs) and max(runs.values()) >= 3


def _bare(word: str) -> str:
    return re.sub(r"[^\w']", "", word.replace("’", "'")).lower()
