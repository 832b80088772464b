"""How well published questions are found in a transcript, by this project and by simpler methods.

Measured on a folder of interviews whose questions have true times, as they are and made harder (``align_data``).

    python benchmarks/align.py [--interviews ../shared/alignment] [--json benchmarks/align.json]
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click

from benchmarks.align_data import FOLDER, Change, Interview, changes, interviews, sample_show
from benchmarks.align_measures import (
    TOLERANCES,
    Outcome,
    answer_end_error,
    calibration,
    outcomes,
    refused,
    rephrased,
    score,
    typical_error,
)
from benchmarks.align_systems import SYSTEMS, System
from benchmarks.align_written import written

QUESTION_SETS = ("optech_qa", "seu_mech")
EASY, CUT, GONE = ("distractor", "removed", "skipped"), ("cut", "asked again"), ("cut",)


def measured(system: System, corpus: Sequence[Interview], change: Change) -> dict[str, list[Outcome]]:
    """The outcome of every question, by set."""
    found: dict[str, list[Outcome]] = {}
    for interview in map(change, corpus):
        found.setdefault(interview.set, []).extend(outcomes(interview, system(interview)))
    return found


def figures(results: Sequence[Outcome]) -> dict[str, float]:
    """All figures for these questions."""
    ece, brier = calibration(results)
    by_tolerance = {f"f1_{tolerance:.0f}s": score(results, tolerance).f1 for tolerance in TOLERANCES}
    within = score(results, TOLERANCES[0])
    found, offered = rephrased(results)
    free_found, free_offered = rephrased(results, "free")
    return {
        "questions": len(results),
        **by_tolerance,
        "precision_2s": within.precision,
        "recall_2s": within.recall,
        "refused": refused(results, EASY),
        "refused_cut": refused(results, CUT),
        "refused_gone": refused(results, GONE),
        "rephrased_found": found,
        "rephrased_offered": offered,
        "free_found": free_found,
        "free_offered": free_offered,
        "median_error": typical_error(results),
        "answer_end_error": answer_end_error(results),
        "ece": ece,
        "brier": brier,
    }


def rows(
    system: System, corpus: Sequence[Interview], names: Sequence[str]
) -> Iterator[tuple[str, str, dict[str, float]]]:
    """Yield each change and set with its figures; ``macro`` is the mean over the sets of published questions."""
    for name in names:
        sets = {kind: figures(results) for kind, results in measured(system, corpus, changes()[name]).items()}
        for kind, found in sets.items():
            yield name, kind, found
        chosen = [sets[kind] for kind in QUESTION_SETS if kind in sets]
        if chosen:
            yield name, "macro", {key: sum(one[key] for one in chosen) / len(chosen) for key in chosen[0]}


def seconds_an_episode(system: System, corpus: Sequence[Interview]) -> float:
    """The mean seconds that an alignment takes."""
    begun = time.perf_counter()
    for interview in corpus:
        system(interview)
    return (time.perf_counter() - begun) / len(corpus)


@click.command()
@click.option("--interviews", "folder", type=click.Path(path_type=Path), default=FOLDER, show_default=True)
@click.option("--only", "only", multiple=True, type=click.Choice(list(SYSTEMS)), help="Only these systems.")
@click.option("--change", "names", multiple=True, type=click.Choice(list(changes())), help="Only these changes.")
@click.option(
    "--json", "output", type=click.Path(path_type=Path), default=Path("benchmarks/align.json"), show_default=True
)
def main(folder: Path, only: Sequence[str], names: Sequence[str], output: Path) -> None:
    """Measure, print and write."""
    real = interviews(folder)
    corpus = [*real, *sample_show(), *written()]
    report: dict[str, dict[str, Any]] = {}
    columns = (
        "questions",
        "f1_2s",
        "f1_5s",
        "refused",
        "refused_cut",
        "refused_gone",
        "rephrased_found",
        "rephrased_offered",
        "free_found",
        "free_offered",
        "median_error",
        "answer_end_error",
        "ece",
        "brier",
    )
    for name_of_system in only or SYSTEMS:
        system = SYSTEMS[name_of_system]
        click.echo(f"\n{name_of_system}\n\n| change | set | {' | '.join(columns)} |\n|{' --- |' * (2 + len(columns))}")
        mine = report[name_of_system] = {"seconds_an_episode": seconds_an_episode(system, corpus), "changes": {}}
        for name, kind, found in rows(system, corpus, names or list(changes())):
            mine["changes"].setdefault(name, {})[kind] = found
            click.echo(f"| {name} | {kind} | {' | '.join(f'{found[column]:.3g}' for column in columns)} |")
        click.echo(f"\n{mine['seconds_an_episode']:.3f} s an episode")
    if real:
        output.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    else:
        click.echo(f"{output} is left as it is: there are no interviews in {folder}, only what is bundled was measured")


if __name__ == "__main__":
    main()
