"""The speed, memory and accuracy of each Whisper model: the README's table of models.

Runs every (engine, model) in a separate process, in several interleaved rounds (A B A B …), on the bundled sample show;
prints a table and writes JSON. Models whose weights are not installed are left out, with a message.

    python benchmarks/models.py [--rounds 3] [--json benchmarks/models.json]
"""

from __future__ import annotations

import json
import platform
import resource
import statistics
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

import click
import jiwer

from pipeline.audio.decode import decode
from pipeline.audio.rate import SAMPLE_RATE
from pipeline.sample import DATA, EPISODES
from pipeline.speech.cores import usable_cores
from pipeline.speech.engine import make_engine
from pipeline.whisper_models import EngineName

RUNS = (
    ("faster-whisper", "tiny.en"),
    ("faster-whisper", "base"),
    ("openai-whisper", "tiny.en"),
    ("openai-whisper", "base"),
)


def measure(engine: EngineName, model: str, cache: Path) -> dict[str, float]:
    """Transcribe the sample in this process; return seconds without loading, word error rate, peak memory in bytes."""
    from whisper.normalizers import EnglishTextNormalizer  # noqa: PLC0415 - only the child needs it

    normalise = EnglishTextNormalizer()
    heard = make_engine(engine, model, cache=cache)
    heard.transcribe([decode(DATA / f"{EPISODES[0]}.mp3")[: 5 * SAMPLE_RATE]], language="en")  # loads the weights
    took = audio_seconds = 0.0
    said_all, heard_all = [], []
    for name in EPISODES:
        audio = decode(DATA / f"{name}.mp3")
        began = time.perf_counter()
        segments = heard.transcribe([audio], language="en").segments
        took += time.perf_counter() - began
        audio_seconds += len(audio) / SAMPLE_RATE
        truth = json.loads((DATA / f"{name}.truth.json").read_text(encoding="utf-8"))
        said_all.append(normalise(" ".join(utterance["text"] for utterance in truth["utterances"])))
        heard_all.append(normalise(" ".join(segment.text for segment in segments)))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    return {"seconds": took, "audio": audio_seconds, "wer": jiwer.wer(said_all, heard_all), "peak": peak}


@click.command()
@click.option("--rounds", default=3, show_default=True)
@click.option("--json", "output", type=click.Path(path_type=Path), default=Path(__file__).with_suffix(".json"))
@click.option("--cache", type=click.Path(path_type=Path), default=Path("db/models"), show_default=True)
@click.option("--engine", help="Only this engine.")
@click.option("--child", nargs=2, hidden=True)
def main(rounds: int, output: Path, cache: Path, engine: str | None, child: tuple[EngineName, str] | None) -> None:
    """Measure, print and write."""
    if child:
        click.echo(json.dumps(measure(*child, cache)))
        return
    found: dict[tuple[str, str], list[dict[str, float]]] = {run: [] for run in RUNS if engine in {None, run[0]}}
    for _ in range(rounds):
        for run, results in found.items():
            done = subprocess.run(
                [sys.executable, __file__, "--cache", str(cache), "--child", *run],
                capture_output=True,
                text=True,
                check=False,
            )
            if done.returncode == 0:
                results.append(json.loads(done.stdout.splitlines()[-1]))
            else:
                click.echo(f"{run}: left out: {done.stderr.strip().splitlines()[-1:]}", err=True)
    rows = [_row(run, results) for run, results in found.items() if results]
    click.echo(
        "| engine | model | × real time | an hour of audio takes | WER | peak memory |\n|---|---|---|---|---|---|"
    )
    for row in rows:
        click.echo(
            f"| {row['engine']} | {row['model']} | {row['speed']:.1f} | {60 / row['speed']:.1f} min "
            f"| {row['wer']:.1%} | {row['peak'] / 1e6:.0f} MB |"
        )
    about = {
        "cores": usable_cores(),
        "machine": platform.machine(),
        "python": platform.python_version(),
        "versions": {name: version(name) for name in ("faster-whisper", "ctranslate2", "openai-whisper", "torch")},
        "rounds": rounds,
    }
    output.write_text(json.dumps({"about": about, "rows": rows}, indent=2) + "\n", encoding="utf-8")


def _row(run: tuple[str, str], results: list[dict[str, float]]) -> dict[str, Any]:
    return {
        "engine": run[0],
        "model": run[1],
        "speed": statistics.median(result["audio"] / result["seconds"] for result in results),
        "wer": results[0]["wer"],
        "peak": max(result["peak"] for result in results),
    }


if __name__ == "__main__":
    main()
