"""What each piece of evidence contributes: the aligner without it, fitted on one source and scored on the other.

python benchmarks/align_ablation.py [--json benchmarks/align_ablation.json]
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from pathlib import Path
from unittest.mock import patch

import click

from benchmarks.align import CUT, EASY, QUESTION_SETS
from benchmarks.align_data import FOLDER, changes, interviews, remembered
from benchmarks.align_fit import AS as LEARNT_AS
from benchmarks.align_fit import LEARNT_FROM, cases, learn
from benchmarks.align_measures import Outcome, calibration, outcomes, refused, score
from pipeline.align import align, aligner
from pipeline.align.evidence import BY_MEANING, Closeness, Evidence, Weights

SCORED_AS = ("as given", "20 % of words corrupted", "reworded")
CLOSER = tuple(f"{name}_beyond_usual" for name in Closeness._fields)
PIECES: Mapping[str, Collection[str]] = {
    "nothing left out": (),
    **{name: (name,) for name in Evidence._fields},
    "closeness beyond usual": CLOSER,
    "meaning": ("nearness", "stands_out", "answered", "nearness_beyond_usual"),
}


def figures(weights: Mapping[str, Weights], named: str) -> dict[str, float]:
    """Macro figures of all interviews after one change, each with weights that were fitted without its source."""
    found: dict[str, list[Outcome]] = {}
    for interview in interviews(FOLDER):
        if interview.set not in LEARNT_FROM and interview.set != "optech_agenda":
            continue
        changed = changes()[named](interview)
        with patch.object(aligner, "BY_MEANING", weights[interview.source]):
            matches = align(changed.questions, changed.segments, encode=remembered()).matches
        found.setdefault(interview.set, []).extend(outcomes(changed, matches))
    plain = [found[name] for name in QUESTION_SETS]
    cut = [found[f"{name}_cut"] for name in QUESTION_SETS]
    return {
        "f1_2s": sum(score(some, 2.0).f1 for some in plain) / len(plain),
        "refused": sum(refused(some, EASY) for some in plain) / len(plain),
        "refused_cut": sum(refused(some, CUT) for some in cut) / len(cut),
        "ece": sum(calibration(some)[0] for some in plain) / len(plain),
        "topics_f1_5s": score(found["optech_agenda"], 5.0).f1,
    }


@click.command()
@click.option(
    "--json",
    "output",
    type=click.Path(path_type=Path),
    default=Path("benchmarks/align_ablation.json"),
    show_default=True,
)
def main(output: Path) -> None:
    """Measure, print and write."""
    corpus = [interview for interview in interviews(FOLDER) if interview.set in LEARNT_FROM]
    sources = sorted({interview.source for interview in corpus})
    evidence = {
        source: cases(
            [changes()[name](one) for name in LEARNT_AS for one in corpus if one.source != source], remembered()
        )
        for source in sources
    }
    report: dict[str, dict[str, dict[str, float]]] = {}
    columns = ("f1_2s", "refused", "refused_cut", "ece", "topics_f1_5s")
    click.echo(f"| without | questions | {' | '.join(columns)} |\n|{' --- |' * (2 + len(columns))}")
    for name, without in PIECES.items():
        weights = {source: learn(evidence[source], BY_MEANING.usual, without=without) for source in sources}
        report[name] = {named: figures(weights, named) for named in SCORED_AS}
        for named, found in report[name].items():
            click.echo(f"| {name} | {named} | {' | '.join(f'{found[column]:.3f}' for column in columns)} |")
    output.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
