"""The report of the speech benchmark: figures for JSON, and tables of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any, TypedDict

from benchmarks.speech_data import NAMES, SPEED_SETS, Recording
from benchmarks.speech_measures import (
    TimedWord,
    invented,
    name_recall,
    ratios,
    spread,
    start_errors,
    word_errors,
)
from benchmarks.speech_systems import OURS


class Heard(TypedDict):
    """One system's transcription of one recording; it took ``seconds`` for ``audio`` seconds of sound."""

    seconds: float
    audio: float
    text: str
    words: list[TimedWord]


class Round(TypedDict):
    """One system's results in one process, by the recording's name, and its peak memory in bytes."""

    heard: dict[str, Heard]
    peak: int


Rounds = Mapping[str, Sequence[Round]]
Figures = dict[str, dict[str, dict[str, Any]]]


def accuracy(rounds: Rounds, recordings: Sequence[Recording]) -> Figures:
    """The figures of the sets ``sample``, ``timed`` and ``nothing``, by system, from the first round."""
    measured: Mapping[str, Callable[[Sequence[Recording], Mapping[str, Heard]], dict[str, Any]]] = {
        "sample": _of_sample,
        "timed": _of_timed,
        "nothing": _of_nothing,
    }
    found: Figures = {}
    for name, measure in measured.items():
        if chosen := [recording for recording in recordings if recording.set == name]:
            found[name] = {system: measure(chosen, results[0]["heard"]) for system, results in rounds.items()}
    return found


def speed(rounds: Rounds, recordings: Sequence[Recording]) -> dict[str, dict[str, Any]]:
    """The speed of each system: times real time by kind of recording and in all, memory, and time relative to ours."""
    kinds: dict[str, list[str]] = {}
    for recording in recordings:
        if recording.set in SPEED_SETS:
            kinds.setdefault("sample" if recording.set == "sample" else recording.name, []).append(recording.name)
    if not kinds:
        return {}
    names = [name for kind in kinds.values() for name in kind]
    found: dict[str, dict[str, Any]] = {}
    for system, results in rounds.items():
        took = [_total(one, names, "seconds") for one in results]
        found[system] = {
            "times_real_time": {kind: asdict(spread(_rates(results, named))) for kind, named in kinds.items()}
            | {"all": asdict(spread(_rates(results, names)))},
            "peak": max(one["peak"] for one in results),
            "time_against": {
                own: asdict(ratios([_total(one, names, "seconds") for one in rounds[own]], took))
                for own in OURS
                if own in rounds
            },
        }
    return found


def table(name: str, figures: Mapping[str, Mapping[str, Any]]) -> str:
    """One set's figures (or ``speed``, ``busy``) as a Markdown table."""
    columns = {"sample": _sample_row, "timed": _timed_row, "nothing": _nothing_row}.get(name, _speed_row)
    rows = [{"system": system} | columns(one) for system, one in figures.items()]
    head = list(rows[0])
    lines = [head, ["---"] * len(head), *([row.get(column, "") for column in head] for row in rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _of_sample(recordings: Sequence[Recording], heard: Mapping[str, Heard]) -> dict[str, Any]:
    recalled = [name_recall(NAMES, one.said, heard[one.name]["text"]) for one in recordings]
    return asdict(_errors(recordings, heard)) | {
        "names_heard": sum(found for found, _ in recalled),
        "names_said": sum(total for _, total in recalled),
    }


def _of_timed(recordings: Sequence[Recording], heard: Mapping[str, Heard]) -> dict[str, Any]:
    pairs = [(one.words, heard[one.name]["words"]) for one in recordings]
    return asdict(_errors(recordings, heard)) | {"starts": asdict(start_errors(pairs))}


def _of_nothing(recordings: Sequence[Recording], heard: Mapping[str, Heard]) -> dict[str, Any]:
    return {
        "invented": sum(invented(one.said, heard[one.name]["text"]) for one in recordings),
        "recordings": len(recordings),
        "written": {one.name: heard[one.name]["text"].strip() for one in recordings if heard[one.name]["text"].strip()},
    }


def _errors(recordings: Iterable[Recording], heard: Mapping[str, Heard]) -> Any:
    from whisper.normalizers import EnglishTextNormalizer  # noqa: PLC0415 - the children must not import torch

    normalise = EnglishTextNormalizer()
    pairs = [(normalise(one.said), normalise(heard[one.name]["text"])) for one in recordings]
    return word_errors([said for said, _ in pairs], [text for _, text in pairs])


def _total(one: Round, names: Iterable[str], what: str) -> float:
    # mypy requires a literal as the key of a TypedDict; ``what`` is one of its keys in every call.
    return sum(one["heard"][name][what] for name in names)  # type: ignore[literal-required]


def _rates(results: Iterable[Round], names: Sequence[str]) -> list[float]:
    return [_total(one, names, "audio") / _total(one, names, "seconds") for one in results]


def _sample_row(one: Mapping[str, Any]) -> dict[str, str]:
    return _error_cells(one) | {"names": f"{one['names_heard']}/{one['names_said']}"}


def _error_cells(one: Mapping[str, Any]) -> dict[str, str]:
    kinds = (one["substitutions"], one["deletions"], one["insertions"])
    return {"WER": f"{one['rate']:.1%}", "S / D / I": " / ".join(map(str, kinds))}


def _timed_row(one: Mapping[str, Any]) -> dict[str, str]:
    starts = one["starts"]
    within = " / ".join(f"{starts['within'][bound]:.0%}" for bound in (100, 200, 500))
    return _error_cells(one) | {
        "words timed": f"{starts['matched']}/{starts['said']}",
        "median": f"{starts['median']:.3f} s",
        "p90": f"{starts['p90']:.2f} s",
        "within 0.1 / 0.2 / 0.5 s": within,
        "bias": f"{starts['bias'] * 1000:+.0f} ms",
        "F1 at 200 ms": f"{starts['f1'][200]:.3f}",
        "at 50 ms": f"{starts['f1'][50]:.3f}",
    }


def _nothing_row(one: Mapping[str, Any]) -> dict[str, str]:
    written = "; ".join(f"{name}: “{text}”" for name, text in one["written"].items())
    return {"words invented": str(one["invented"]), "what was written": written or "nothing"}


def _speed_row(one: Mapping[str, Any]) -> dict[str, str]:
    cells = {kind: f"{rate['median']:.1f}×" for kind, rate in one["times_real_time"].items()}
    least, most = (one["times_real_time"]["all"][key] for key in ("least", "most"))
    cells["all"] += f" ({least:.1f}–{most:.1f})"
    cells["peak memory"] = f"{one['peak'] / 1e6:.0f} MB"
    return cells | {f"its time / {own}": f"{ratio['median']:.2f}" for own, ratio in one["time_against"].items()}
