"""Makes the audio for the download benchmark. Measures nothing.

python benchmarks/acquire_audio.py FILE BYTES
"""

from __future__ import annotations

from pathlib import Path

import av
import click
import numpy as np

RATE = 44_100  # Hz
BIT_RATE = 128_000


@click.command()
@click.argument("path", type=click.Path(path_type=Path))
@click.argument("size", type=int)
def main(path: Path, size: int) -> None:
    """Write stereo mp3 of about SIZE bytes: a wandering tone and noise."""
    clock = np.arange(int(size * 8 / BIT_RATE * RATE)) / RATE
    noise = np.random.default_rng(1).normal(0, 0.05, (2, len(clock)))
    sound = 0.3 * np.sin(2 * np.pi * 220 * clock * (1 + 0.1 * np.sin(clock))) + noise
    with av.open(str(path), "w", format="mp3") as container:
        stream = container.add_stream("libmp3lame", rate=RATE, layout="stereo")
        stream.bit_rate = BIT_RATE
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(sound.astype(np.float32)), "fltp", "stereo")
        frame.sample_rate = RATE
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            container.mux(packet)


if __name__ == "__main__":
    main()
