"""Cutting a clip out of a kept file by copying its packets, without encoding them again."""

from __future__ import annotations

import io
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import av
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.packet import Packet

from pipeline.audio.decode import TIMED, container_name, opened
from pipeline.errors import NotAudioError

MAX_BYTES = 100_000_000
# FFmpeg's muxers where their names differ from the demuxers'. Matroska is written as itself: unlike WebM it takes any
# codec that a kept file of either kind may have.
_WRITTEN = {"aac": "adts", "mov": "mp4"}
# In these every packet has a timestamp, and FFmpeg can seek without reading what comes before.
_SEEKABLE = frozenset({"mov", "ogg", "flac", "wav", "aiff"})
_SAME = 0.5  # seconds; encoders pad recordings, and declare the padding more or less exactly


def clip(path: Path, start: float, end: float, *, duration: float) -> bytes:
    """Return the part of a file between two times, as a file of the same kind.

    It consists of whole packets, so it is exact to a tenth of a second.

    Args:
        path: a kept file.
        start: seconds.
        end: seconds; may lie after the end of the recording.
        duration: seconds of the whole file, as decoded.

    Raises:
        NotAudioError: the file is damaged, has no sound there, was joined from several files that each have their own
            timestamps (a chained Ogg file), or the clip would be larger than ``MAX_BYTES``.
    """
    target = io.BytesIO()
    with opened(path) as source:
        name = container_name(source)
        if name in _SEEKABLE and not _lasts(source, duration):
            raise NotAudioError("the file was joined from several, or is damaged: its times do not match the sound")
        packets = _packets(source, start, end)
        first = next(packets, None)
        if first is None:
            raise NotAudioError("there is no sound at that time")
        with av.open(target, "w", format=_WRITTEN.get(name, name)) as file:
            copy = file.add_stream_from_template(source.streams.audio[0])
            begun = first.pts or 0
            for packet in chain([first], packets):
                packet.pts = packet.dts = (packet.pts or 0) - begun
                packet.stream = copy
                file.mux(packet)
                if target.tell() > MAX_BYTES:
                    raise NotAudioError(f"the clip would be larger than {MAX_BYTES // 10**6} MB")
    return target.getvalue()


def _lasts(source: InputContainer, duration: float) -> bool:
    """Whether a file lasts so many seconds by its header, which counts from zero or from where the sound begins."""
    declared = (source.duration or 0, (source.duration or 0) + max(0, source.start_time or 0))
    return any(abs(length / av.time_base - duration) <= _SAME for length in declared)


def _packets(source: InputContainer, start: float, end: float) -> Iterator[Packet[AudioStream]]:
    """The packets between two times in seconds.

    A format that is not ``_SEEKABLE``, such as MP3, is read from its beginning, because only counting gives the times
    of its packets: if advertisements were joined to it, its header, and any estimate from that, give another length.
    """
    stream = source.streams.audio[0]
    packets = _timed(source, stream)
    packet = next(packets, None)
    if packet is None or stream.time_base is None:
        return
    # Packets at negative times are encoder delay, which is not played.
    origin = 0 if container_name(source) in TIMED else max(0, packet.pts or 0)
    first, last = (origin + round(second / stream.time_base) for second in (start, end))
    if container_name(source) in _SEEKABLE:
        source.seek(first, stream=stream)
        packets = _timed(source, stream)
    else:
        packets = chain([packet], packets)
    for packet in packets:
        at = packet.pts or 0
        if at >= last:
            return
        if at + (packet.duration or 0) > first:
            yield packet


def _timed(source: InputContainer, stream: AudioStream) -> Iterator[Packet[AudioStream]]:
    """The packets that have a timestamp, from the current position in the file."""
    return (packet for packet in source.demux(stream) if packet.pts is not None)
