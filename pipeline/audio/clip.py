"""Cutting a piece out of a kept file: its own packets, never encoded anew, so that it sounds as the file does."""

from __future__ import annotations

import io
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import av
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.packet import Packet

from pipeline.audio.decode import container_name, opened
from pipeline.errors import NotAudioError

MAX_BYTES = 100_000_000
# FFmpeg's name of a container where it writes that under another one. Matroska is its own: unlike WebM it takes
# whatever a kept file of either may hold.
_WRITTEN = {"aac": "adts", "mov": "mp4"}
# In these every packet says when it is heard, and FFmpeg finds a second without reading what lies before it.
_SEEKABLE = frozenset({"mov", "ogg", "flac", "wav", "aiff"})
_SAME = 0.5  # seconds: encoders pad a recording, and say so more or less exactly


def clip(path: Path, start: float, end: float, *, duration: float) -> bytes:
    """Return what is heard between two seconds of a file, as a file of the same kind.

    It begins and ends with whole packets, so within a tenth of a second.

    Args:
        path: a kept file.
        start: seconds.
        end: seconds; what lies after the recording's end is left out.
        duration: seconds of the whole file as it is decoded.

    Raises:
        NotAudioError: the file is damaged, has nothing there, was joined from several of which each has times of its
            own (a chained Ogg file), or the piece would be larger than ``MAX_BYTES``.
    """
    target = io.BytesIO()
    with opened(path) as source:
        name = container_name(source)
        if name in _SEEKABLE and abs((source.duration or 0) / av.time_base - duration) > _SAME:
            raise NotAudioError("the file was joined from several, or is damaged: its own times are other ones")
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
                    raise NotAudioError(f"that much of it would be larger than {MAX_BYTES // 10**6} MB")
    return target.getvalue()


def _packets(source: InputContainer, start: float, end: float) -> Iterator[Packet[AudioStream]]:
    """The packets that sound between two seconds.

    An MP3 is read from its beginning, because only counting says when one of its packets is heard: where it has
    advertisements joined to it, its header and what players estimate from it are of another length.
    """
    stream = source.streams.audio[0]
    packets = _timed(source, stream)
    packet = next(packets, None)
    if packet is None or stream.time_base is None:
        return
    # Some recordings do not begin at zero; before it lies what an encoder needs to start, which is not heard.
    origin = max(0, packet.pts or 0)
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
    """The packets that say when they are heard, from where the file is read."""
    return (packet for packet in source.demux(stream) if packet.pts is not None)
