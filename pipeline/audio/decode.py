"""Decoding audio files with PyAV (FFmpeg's libraries in a wheel). Stores and downloads nothing."""

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

# FFmpeg's container name -> (file extension, media type). Only these are ever opened, which excludes playlist formats
# that could make FFmpeg read other files and addresses.
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
# In these, every packet says when it plays, and players go by that when they jump; the others are counted through.
TIMED = frozenset({"mov", "ogg", "matroska"})
_FEW_PACKETS = 100  # may always be damaged, of a recording of any length
_SPOILT = 0.1  # of its bytes; a recording of which more cannot be decoded is refused
_CANCELLED = 0.01  # of the louder channel's power; of a dead channel and another, the mix has half
_LEAST_GAP = 0.02  # seconds between time stamps and sound; stamps may be rounded, the shortest packets last this long
MAX_SECONDS = 24 * 3600  # a small file whose header claims 1 Hz would fill the memory when resampled


@dataclass(frozen=True, slots=True)
class AudioFacts:
    """The facts found by decoding a whole file.

    Attributes:
        duration: seconds.
        gaps: how many of these seconds have no sound in the file (see ``_frames``).
        lost: seconds of sound, about, that cannot be decoded, by the bytes of damaged packets.
        ending: file extension with its dot.
        content_type: media type.
    """

    duration: float
    gaps: float
    lost: float
    ending: str
    content_type: str


@dataclass(slots=True)
class _Read:
    """The bytes of the packets that were read so far, and of those that could not be decoded."""

    whole: int = 0
    spoilt: int = 0


def check(path: Path) -> AudioFacts:
    """Decode the whole file and return its facts.

    Raises:
        NotAudioError: it is empty, not audio, damaged, longer than ``MAX_SECONDS``, or has no sound to decode.
    """
    with path.open("rb") as file:
        head = file.read(512).lstrip()
    if not head:
        raise NotAudioError("the file is empty")
    if head[:1] in {b"<", b"{"}:
        kind = "a web page or XML" if head[:1] == b"<" else "JSON"
        raise NotAudioError(f"the host sent {kind} instead of audio, probably an error page")
    sound = gaps = 0.0
    read = _Read()
    with opened(path) as container:
        for gap, frame in _timed(container, read):
            gaps += gap
            sound += frame.samples / frame.sample_rate
            if gaps + sound > MAX_SECONDS:  # inside the loop, because a small file may hold years of silence
                raise NotAudioError(f"it lasts longer than {MAX_SECONDS / 3600:.0f} hours: no episode does")
        name = container_name(container)
    if sound <= 0:
        raise NotAudioError("no sound in it can be decoded")
    ending, content_type = CONTAINERS[name]
    duration = gaps + sound
    return AudioFacts(
        duration=round(duration, 3),
        gaps=round(gaps, 3),
        lost=round(duration * read.spoilt / read.whole, 3),
        ending=ending,
        content_type=content_type,
    )


def decode(path: Path, *, sample_rate: int = SAMPLE_RATE) -> NDArray[np.float32]:
    """Return the file's sound as mono samples in -1..1 at ``sample_rate`` Hz, shape (samples,).

    Raises:
        NotAudioError: it is not audio, damaged, or has no sound to decode.
    """
    return np.concatenate(list(decoded_blocks(path, sample_rate=sample_rate)))


def decoded_blocks(path: Path, *, sample_rate: int = SAMPLE_RATE) -> Iterator[NDArray[np.float32]]:
    """Decode a file incrementally: yield the samples of ``decode`` in blocks of a fraction of a second.

    Raises:
        NotAudioError: as for ``decode``.
    """
    for channels in decoded_channels(path, sample_rate=sample_rate):
        yield mixed(channels)


def decoded_channels(path: Path, *, sample_rate: int = SAMPLE_RATE) -> Iterator[NDArray[np.float32]]:
    """As ``decoded_blocks``, but the channels of stereo are not mixed: blocks of shape (1 or 2, samples).

    Raises:
        NotAudioError: as for ``decode``.
    """
    empty = True
    with opened(path) as container:
        for resampled in _resampled(_frames(container), sample_rate):
            empty = False
            yield cast("NDArray[np.float32]", resampled.to_ndarray())
    if empty:
        raise NotAudioError(f"{path}: no sound in it can be decoded")


def mixed(channels: NDArray[np.float32]) -> NDArray[np.float32]:
    """Mix one channel or two, shape (channels, samples), to shape (samples,).

    Two that cancel each other, because one was wired the wrong way round, are not mixed: the louder one is taken,
    which is what is heard of both on headphones.
    """
    if len(channels) == 1:
        return channels.reshape(-1)
    left, right = channels
    both: NDArray[np.float32] = (left + right) * np.float32(np.sqrt(0.5))
    louder: NDArray[np.float32] = left if left @ left > right @ right else right
    return both if both @ both >= _CANCELLED * (louder @ louder) else louder


def _resampled(frames: Iterator[AudioFrame], sample_rate: int) -> Iterator[AudioFrame]:
    """Resample to one rate; stereo stays stereo, all else becomes mono.

    Rate and channels may change within a file to which advertisements were joined.
    """
    for (_, _, channels, _), alike in groupby(frames, key=_kind):
        resampler = av.AudioResampler(format="fltp", layout="stereo" if channels == 2 else "mono", rate=sample_rate)
        for frame in chain(alike, [None]):
            yield from resampler.resample(frame)


def _kind(frame: AudioFrame) -> tuple[str, str, int, int]:
    return frame.format.name, frame.layout.name, frame.layout.nb_channels, frame.sample_rate


def container_name(container: InputContainer) -> str:
    """Return the container's key in ``CONTAINERS``."""
    return next((name for name in container.format.name.split(",") if name in CONTAINERS), "mp3")


@contextmanager
def opened(path: Path) -> Iterator[InputContainer]:
    """Open an untrusted audio file.

    Raises:
        NotAudioError: it is not audio, or turns out to be damaged or not to be decodable while it is read.
    """
    try:
        container = av.open(str(path), mode="r", options=_OPEN_OPTIONS, metadata_errors="ignore")
    except (av.FFmpegError, ValueError) as error:
        raise NotAudioError(f"this is not audio that can be decoded ({getattr(error, 'strerror', error)})") from error
    with container:
        if not container.streams.audio:
            raise NotAudioError("there is no sound in it")
        try:
            yield container
        except av.error.PatchWelcomeError as error:
            raise NotAudioError(
                "it may be sound, but FFmpeg cannot read it, as where mono and stereo are joined in one Ogg file"
            ) from error
        except av.FFmpegError as error:  # the container is broken, not only single packets
            raise NotAudioError(f"the audio is damaged ({error.strerror})") from error


def _frames(container: InputContainer) -> Iterator[AudioFrame]:
    """The decoded frames for a resampler, and silence where the file has none, so that times are those of a player.

    Recorders that send nothing while nobody speaks (discontinuous transmission of Opus, RFC 6716 section 2.1.9), and
    editors that cut without encoding anew, leave gaps between the time stamps; some files do not begin at zero.
    """
    for gap, frame in _timed(container, _Read()):
        yield from _silence(frame, gap)
        frame.pts = None  # the resampler would take the time stamps for its own
        yield frame


def _timed(container: InputContainer, read: _Read) -> Iterator[tuple[float, AudioFrame]]:
    """Each decoded frame, and the seconds before it for which there is no sound, by the time stamps.

    A time stamp that lies before what was decoded, as where Ogg streams are chained, begins the count anew; one that
    lies beyond ``MAX_SECONDS`` is no time at all.
    """
    end = 0.0  # of what was decoded, by the time stamps, in seconds
    timed = container_name(container) in TIMED
    for frames in _decoded(container, read):
        for frame in frames:
            start = end if frame.time is None or not timed else frame.time
            gap = start - end if _LEAST_GAP < start - end < MAX_SECONDS else 0.0
            end = (start if gap or start < end - _LEAST_GAP else end) + frame.samples / frame.sample_rate
            yield gap, frame


def _silence(like: AudioFrame, seconds: float) -> Iterator[AudioFrame]:
    """Frames of silence of the same kind as another, each of a second at most."""
    left = round(seconds * like.sample_rate)
    while left > 0:
        frame = av.AudioFrame(format=like.format.name, layout=like.layout.name, samples=min(left, like.sample_rate))
        frame.sample_rate = like.sample_rate
        for plane in frame.planes:
            plane.update(bytes(plane.buffer_size))
        left -= frame.samples
        yield frame


def _decoded(container: InputContainer, read: _Read) -> Iterator[list[AudioFrame]]:
    """The frames of each packet, which is counted. Damaged ones are skipped, as players do.

    Raises:
        NotAudioError: more than ``_FEW_PACKETS`` are damaged, and more than a share of ``_SPOILT``.
    """
    bad = 0
    for packet in container.demux(container.streams.audio[0]):
        size = max(packet.size, 1)
        read.whole += size
        try:
            frames = packet.decode()
        except av.FFmpegError:
            bad += 1
            read.spoilt += size
            if bad > _FEW_PACKETS:  # whatever else there is in the file: rubbish is not read to its end
                _refuse_spoilt(read, of=max(container.size, read.whole))
        else:
            yield frames
    if bad > _FEW_PACKETS:
        _refuse_spoilt(read, of=read.whole)


def _refuse_spoilt(read: _Read, *, of: int) -> None:
    if read.spoilt > _SPOILT * of:
        raise NotAudioError(f"the audio is damaged: more than {_SPOILT * 100:.0f} % of it cannot be decoded")
