"""The accuracy and speed of this project's transcription, compared with its peers with the same weights.

Runs every system in a separate process, in interleaved rounds (A B C … A B C …), prints a table for each set of
recordings and writes JSON. Accuracy is measured in the first round, speed and memory in all. A system that is not
installed or fails is left out, with a message.

    python benchmarks/speech.py [--model tiny.en] [--rounds 5] [--busy]
"""

from __future__ import annotations

import json
import os
import platform
import resource
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import click

from benchmarks.speech_data import SETS, SPEED_SETS, Recording, recordings
from benchmarks.speech_measures import TimedWord
from benchmarks.speech_report import Round, accuracy, speed, table
from benchmarks.speech_systems import SYSTEMS
from pipeline.audio.rate import SAMPLE_RATE
from pipeline.speech.cores import usable_cores

_MODELS = ("tiny.en", "base")
_PATIENCE = 2 * 3600  # seconds; a system that busy-waits beside busy processes is slower than real time
_PACKAGES = (
    "interview-archive", "faster-whisper", "ctranslate2", "openai-whisper", "torch", "pywhispercpp", "onnxruntime",
    "numpy", "av", "jiwer", "rapidfuzz",
)  # fmt: skip
_TITLES = {
    "sample": "The bundled sample show",
    "timed": "Meetings and spontaneous speech with manual word times",
    "nothing": "Music, noise and near-silence",
    "speed": "Speed, times real time",
    "busy": "Speed beside a busy process on each core",
}


class LeftOutError(Exception):
    """A system could not be measured; the message says why."""


@dataclass
class Bench:
    """The measurement of one model: the systems that still take part, and why others were left out."""

    model: str
    cache: Path
    audio: Path
    systems: list[str]
    left_out: dict[str, str] = field(default_factory=dict)

    def round(self, sets: Sequence[str]) -> dict[str, Round]:
        """Let every system transcribe these sets; one that fails is left out from now on."""
        found = {}
        for system in list(self.systems):
            click.echo(f"{self.model}: {system} …", err=True)
            try:
                found[system] = self._child(system, sets)
            except LeftOutError as error:
                self.systems.remove(system)
                self.left_out[system] = str(error)
        return found

    def _child(self, system: str, sets: Sequence[str]) -> Round:
        options = ["--model", self.model, "--cache", str(self.cache), "--audio", str(self.audio)]
        chosen = [word for name in sets for word in ("--sets", name)]
        command = [sys.executable, __file__, *options, *chosen, "--child", system]
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_PATIENCE)
        except subprocess.TimeoutExpired as error:
            raise LeftOutError(f"it took longer than {_PATIENCE} seconds") from error
        if done.returncode:
            raise LeftOutError((done.stderr.strip().splitlines() or [f"exit status {done.returncode}"])[-1])
        result: Round = json.loads(done.stdout.splitlines()[-1])
        for heard in result["heard"].values():
            heard["words"] = [TimedWord(*word) for word in heard["words"]]
        return result


@click.command()
@click.option("--model", "models", type=click.Choice(_MODELS), multiple=True, default=_MODELS[:1], show_default=True)
@click.option("--rounds", type=click.IntRange(0), default=5, show_default=True)
@click.option("--sets", type=click.Choice(SETS), multiple=True, help="Only these; may be given more than once.")
@click.option("--only", type=click.Choice(tuple(SYSTEMS)), multiple=True, help="Only these systems.")
@click.option("--busy", is_flag=True, help="Also one round beside a busy process on each core.")
@click.option("--audio", type=click.Path(path_type=Path), default=Path("../shared/audio"), show_default=True)
@click.option("--cache", type=click.Path(path_type=Path), default=Path("db/models"), show_default=True)
@click.option("--json", "output", type=click.Path(path_type=Path), default=Path(__file__).with_suffix(".json"))
@click.option("--child", hidden=True)
def main(  # noqa: PLR0913 - click hands over one argument an option
    *,
    models: tuple[str, ...],
    rounds: int,
    sets: tuple[str, ...],
    only: tuple[str, ...],
    busy: bool,
    audio: Path,
    cache: Path,
    output: Path,
    child: str | None,
) -> None:
    """Measure, print and write."""
    if child:
        click.echo(json.dumps(transcribe(child, models[0], cache, recordings(sets, audio))))
        return
    about = _about(rounds)
    sets = sets or SETS
    found = {}
    for model in models:
        bench = Bench(model, cache, audio, [name for name in SYSTEMS if name in (only or SYSTEMS)])
        found[model] = measure(bench, sets, rounds=rounds, busy=busy)
        _show(model, found[model])
    output.write_text(json.dumps({"about": about, "models": found}, indent=2) + "\n", encoding="utf-8")


def measure(bench: Bench, sets: Sequence[str], *, rounds: int, busy: bool) -> dict[str, Any]:
    """Run all rounds of one model; return the figures of each set and of speed, and what was left out and why."""
    bench.round(())  # only loads, so that weights are joined or converted before anything is measured
    for_speed = [name for name in sets if name in SPEED_SETS]
    done = [bench.round(sets if not number else for_speed) for number in range(rounds if for_speed else min(rounds, 1))]
    beside = {}
    if busy and for_speed:
        with _busy_cores():
            beside = bench.round(for_speed)
    kept = {name: [one[name] for one in done] for name in bench.systems if done}
    measured = recordings(sets, bench.audio)
    found: dict[str, Any] = {**accuracy(kept, measured)} if kept else {}
    found["speed"] = speed(kept, measured)
    found["busy"] = speed({name: [beside[name]] for name in bench.systems if beside}, measured)
    return {name: figures for name, figures in found.items() if figures} | {"left_out": bench.left_out}


def transcribe(system: str, model: str, cache: Path, chosen: Sequence[Recording]) -> Round:
    """Transcribe recordings in this process; loading weights and decoding audio are not timed."""
    cache.mkdir(parents=True, exist_ok=True)
    run = SYSTEMS[system](model, cache)
    run(recordings(["sample"], Path())[0].samples()[: 5 * SAMPLE_RATE])  # some load their weights only here
    result: Round = {"heard": {}, "peak": 0}
    for recording in chosen:
        samples = recording.samples()
        began = time.perf_counter()
        text, words = run(samples)
        result["heard"][recording.name] = {
            "seconds": time.perf_counter() - began,
            "audio": len(samples) / SAMPLE_RATE,
            "text": text,
            "words": [TimedWord(float(start), float(end), word) for start, end, word in words],
        }
    result["peak"] = _peak_memory()
    return result


def _peak_memory() -> int:
    """The peak memory of this process, in bytes."""
    status = Path("/proc/self/status")
    if status.exists():  # Linux: ru_maxrss is inherited from the process that started this one
        return next(int(line.split()[1]) for line in status.read_text().splitlines() if line[:6] == "VmHWM:") * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


@contextmanager
def _busy_cores() -> Iterator[None]:
    others = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(usable_cores())]
    try:
        yield
    finally:
        for other in others:
            other.kill()
            other.wait()


def _show(model: str, found: dict[str, Any]) -> None:
    for name, title in _TITLES.items():
        if name in found:
            click.echo(f"\n### {title} ({model})\n\n{table(name, found[name])}")
    for system, reason in found["left_out"].items():
        click.echo(f"\nLeft out: {system}: {reason}")


def _about(rounds: int) -> dict[str, Any]:
    cpus = Path("/proc/cpuinfo").read_text() if Path("/proc/cpuinfo").exists() else ""
    names = [line.partition(":")[2].strip() for line in cpus.splitlines() if line.startswith("model name")]
    return {
        "measured": datetime.now(UTC).strftime("%Y-%m-%d"),
        "cores": usable_cores(),
        "cpu": names[0] if names else platform.processor(),
        "machine": platform.machine(),
        "load_before": os.getloadavg()[0],
        "python": platform.python_version(),
        "versions": {name: found for name in _PACKAGES if (found := _version(name))},
        "rounds": rounds,
    }


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


if __name__ == "__main__":
    main()
