"""How well published questions are found in a transcript: by this project, and by simpler ways to do it.

Measures on a folder of interviews whose questions have true times, as they are and made harder (``align_data``).

    python benchmarks/align.py [--interviews ../shared/alignment] [--json benchmarks/align.json]
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from functools import cache, partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

import click

from benchmarks.align_data import Change, Interview, changes, interviews
from benchmarks.align_fit import learn_from
from benchmarks.align_measures import TOLERANCES, Outcome, calibration, outcomes, refused, score, typical_error
from pipeline.align import align
from pipeline.align.candidates import Evidence
from pipeline.model import Match

System = Callable[[Interview], Sequence[Match]]
QUESTION_SETS = ("optech_qa", "seu_mech")
EASY, HARD = ("distractor", "removed"), ("cut",)


def ours(interview: Interview) -> Sequence[Match]:
    """The door that the pipeline goes through."""
    return align(interview.questions, interview.segments)


@cache
def _learnt_without(source: str, folder: Path) -> tuple[float, ...]:
    return tuple(learn_from(interviews(folder), left_out=source))


def held_out(interview: Interview, folder: Path) -> Sequence[Match]:
    """The same with weights that were learnt from the other sources."""
    *weights, bias = _learnt_without(interview.source, folder)
    with patch.multiple(sys.modules["pipeline.align.candidates"], WEIGHTS=Evidence(*weights), BIAS=bias):
        return ours(interview)


SYSTEMS = ("ours", "ours, held out")


def measured(system: System, corpus: Sequence[Interview], change: Change) -> dict[str, list[Outcome]]:
    """The outcome of every question, by set."""
    found: dict[str, list[Outcome]] = {}
    for interview in map(change, corpus):
        found.setdefault(interview.set, []).extend(outcomes(interview, system(interview)))
    return found


def figures(results: Sequence[Outcome]) -> dict[str, float]:
    """All figures of some questions."""
    ece, brier = calibration(results)
    by_tolerance = {f"f1_{tolerance:.0f}s": score(results, tolerance).f1 for tolerance in TOLERANCES}
    within = score(results, TOLERANCES[0])
    return {
        "questions": len(results),
        **by_tolerance,
        "precision_2s": within.precision,
        "recall_2s": within.recall,
        "refused": refused(results, EASY),
        "refused_cut": refused(results, HARD),
        "median_error": typical_error(results),
        "ece": ece,
        "brier": brier,
    }


def rows(
    system: System, corpus: Sequence[Interview], names: Sequence[str]
) -> Iterator[tuple[str, str, dict[str, float]]]:
    """Each change and set with its figures; ``macro`` is the mean of the sets of published questions."""
    for name in names:
        sets = {kind: figures(results) for kind, results in measured(system, corpus, changes()[name]).items()}
        for kind, found in sets.items():
            yield name, kind, found
        chosen = [sets[kind] for kind in QUESTION_SETS if kind in sets]
        if chosen:
            yield name, "macro", {key: sum(one[key] for one in chosen) / len(chosen) for key in chosen[0]}


def seconds_an_episode(system: System, corpus: Sequence[Interview]) -> float:
    """The mean time an alignment takes."""
    begun = time.perf_counter()
    for interview in corpus:
        system(interview)
    return (time.perf_counter() - begun) / len(corpus)


@click.command()
@click.option(
    "--interviews", "folder", type=click.Path(path_type=Path), default=Path("../shared/alignment"), show_default=True
)
@click.option("--only", "only", multiple=True, type=click.Choice(SYSTEMS), help="Only these systems.")
@click.option("--change", "names", multiple=True, type=click.Choice(list(changes())), help="Only these changes.")
@click.option(
    "--json", "output", type=click.Path(path_type=Path), default=Path("benchmarks/align.json"), show_default=True
)
def main(folder: Path, only: Sequence[str], names: Sequence[str], output: Path) -> None:
    """Measure, print and write."""
    corpus = interviews(folder)
    report: dict[str, dict[str, Any]] = {}
    columns = ("questions", "f1_2s", "f1_5s", "refused", "refused_cut", "median_error", "ece", "brier")
    for name_of_system in only or SYSTEMS:
        system = ours if name_of_system == "ours" else partial(held_out, folder=folder)
        click.echo(f"\n{name_of_system}\n\n| change | set | {' | '.join(columns)} |\n|{' --- |' * (2 + len(columns))}")
        mine = report[name_of_system] = {"seconds_an_episode": seconds_an_episode(system, corpus), "changes": {}}
        for name, kind, found in rows(system, corpus, names or list(changes())):
            mine["changes"].setdefault(name, {})[kind] = found
            click.echo(f"| {name} | {kind} | {' | '.join(f'{found[column]:.3g}' for column in columns)} |")
        click.echo(f"\n{mine['seconds_an_episode']:.3f} s an episode")
    output.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
