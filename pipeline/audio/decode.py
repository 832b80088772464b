"""Decoding audio files with PyAV (FFmpeg's libraries inside a wheel). Keeps and downloads nothing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain, groupby
from pathlib import Path
from typing import cast

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.container import InputContainer
from numpy.typing import NDArray

from pipeline.audio.rate import SAMPLE_RATE
from pipeline.errors import NotAudioError

# FFmpeg's name of a container -> (file ending, media type). Only these are ever opened: playlist formats, which
# could make FFmpeg read other files and addresses, are thereby out of reach.
CONTAINERS = {
    "mp3": (".mp3", "audio/mpeg"),
    "aac": (".aac", "audio/aac"),
    "mov": (".m4a", "audio/mp4"),
    "ogg": (".ogg", "audio/ogg"),
    "flac": (".flac", "audio/flac"),
    "wav": (".wav", "audio/wav"),
    "aiff": (".aiff", "audio/aiff"),
    "matroska": (".webm", "audio/webm"),
}
_OPEN_OPTIONS = {"format_whitelist": ",".join([*CONTAINERS, "mp4", "webm"]), "protocol_whitelist": "file"}
_MAX_BAD_PACKETS = 100
MAX_SECONDS = 24 * 3600  # a header that says 1 Hz would make a small file fill the memory once it is resampled


@dataclass(frozen=True, slots=True)
class AudioFacts:
    """What a full decode of a file found; ``duration`` in seconds."""

    duration: float
    ending: str
    content_type: str


def check(path: Path) -> AudioFacts:
    """Decode the whole file and say what it is.

    Raises:
        NotAudioError: it is empty, is something else, or has no sound that can be decoded.
    """
    with path.open("rb") as file:
        head = file.read(512).lstrip()
    if not head:
        raise NotAudioError("the file is empty")
    if head[:1] in {b"<", b"{"}:
        kind = "a web page or XML" if head[:1] == b"<" else "JSON"
        raise NotAudioError(f"what came is {kind}, not audio: the host probably sent an error page")
    seconds = 0.0
    with opened(path) as container:
        for frames in _decoded(container):
            for frame in frames:
                seconds += frame.samples / frame.sample_rate
            if seconds > MAX_SECONDS:  # here, because a small file may hold years of silence
                raise NotAudioError(f"it lasts longer than {MAX_SECONDS / 3600:.0f} hours: no episode does")
        name = container_name(container)
    if seconds <= 0:
        raise NotAudioError("no sound in it can be decoded")
    ending, content_type = CONTAINERS[name]
    return AudioFacts(duration=round(seconds, 3), ending=ending, content_type=content_type)


def decode(path: Path, *, sample_rate: int = SAMPLE_RATE) -> NDArray[np.float32]:
    """Return the file's sound as mono samples in -1..1 at ``sample_rate`` Hz, shape (samples,).

    Raises:
        NotAudioError: as for ``check``.
    """
    return np.concatenate(list(decoded_blocks(path, sample_rate=sample_rate)))


def decoded_blocks(path: Path, *, sample_rate: int = SAMPLE_RATE) -> Iterator[NDArray[np.float32]]:
    """Decode a file little by little: the samples of ``decode``, in blocks of a fraction of a second each.

    Raises:
        NotAudioError: as for ``check``.
    """
    empty = True
    with opened(path) as container:
        for resampled in _resampled(_frames(container), sample_rate):
            empty = False
            yield cast("NDArray[np.float32]", resampled.to_ndarray()).reshape(-1)
    if empty:
        raise NotAudioError(f"{path}: no sound in it can be decoded")


def _resampled(frames: Iterator[AudioFrame], sample_rate: int) -> Iterator[AudioFrame]:
    """Mono at one rate. Hosts that join advertisements to an episode change rate and channels within one file."""
    for _, alike in groupby(frames, key=lambda frame: (frame.format.name, frame.layout.name, frame.sample_rate)):
        resampler = av.AudioResampler(format="flt", layout="mono", rate=sample_rate)
        for frame in chain(alike, [None]):
            yield from resampler.resample(frame)


def container_name(container: InputContainer) -> str:
    """Return which of ``CONTAINERS`` it is."""
    return next((name for name in container.format.name.split(",") if name in CONTAINERS), "mp3")


@contextmanager
def opened(path: Path) -> Iterator[InputContainer]:
    """Open a file that may come from anywhere.

    Raises:
        NotAudioError: it is no audio, or breaks while it is read.
    """
    try:
        container = av.open(str(path), mode="r", options=_OPEN_OPTIONS, metadata_errors="ignore")
    except (av.FFmpegError, ValueError) as error:
        raise NotAudioError(f"this is no audio that can be decoded ({getattr(error, 'strerror', error)})") from error
    with container:
        if not container.streams.audio:
            raise NotAudioError("there is no sound in it")
        try:
            yield container
        except av.FFmpegError as error:  # not one packet but the file's own order is broken
            raise NotAudioError(f"the audio is damaged ({error.strerror})") from error


def _frames(container: InputContainer) -> Iterator[AudioFrame]:
    """The decoded frames, for a resampler."""
    for frames in _decoded(container):
        for frame in frames:
            frame.pts = None  # the resampler would fill gaps between time stamps with silence
            yield frame


def _decoded(container: InputContainer) -> Iterator[list[AudioFrame]]:
    """The frames of each packet. Single damaged ones are passed over, as every player does; a rubbish file is not."""
    bad = 0
    for packet in container.demux(container.streams.audio[0]):
        try:
            frames = packet.decode()
        except av.FFmpegError as error:
            bad += 1
            if bad > _MAX_BAD_PACKETS:
                raise NotAudioError(f"the audio is damaged: {bad} packets cannot be decoded") from error
        else:
            yield frames
