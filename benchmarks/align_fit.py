"""Fit the weights of evidence and hints, and print the constants of ``pipeline/align/evidence.py``.

A conditional logit (McFadden 1974): for each question, one of its places is right, or none. If several are in the true
span, any of them is right. Newton's method, with the current probabilities of the right places in each step
(expectation maximisation). How closely a host keeps to the wording depends on what is found, and that on the weights,
so they are fitted a few times. The hints are fitted in the same way, on the questions that wording leaves open.

    python benchmarks/align_fit.py [--leave-out optech]      # weights fitted without a source may be scored on it
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray

from benchmarks.align_data import FOLDER, Interview, changes, interviews, remembered
from pipeline.align.candidates import Candidate, asking_in
from pipeline.align.decide import decide
from pipeline.align.evidence import (
    BY_MEANING,
    BY_OTHERS,
    BY_WORDS,
    LEFT_OUT,
    READ_OUT,
    SCARCE,
    STATED,
    UNANSWERED,
    Closeness,
    Evidence,
    Hints,
    HintWeights,
    Weights,
    closeness,
)
from pipeline.align.for_fitting import left_open, places_of
from pipeline.align.meaning import Encode
from pipeline.align.units import cut

Array = NDArray[np.float64]
# Lists of topics are a different task, and would make false positives more likely.
LEARNT_FROM = ("optech_qa", "optech_qa_cut", "seu_mech", "seu_mech_cut")
AS = (
    "as given",
    "words left out",
    "reworded",
    "20 % of words corrupted",
    "20 % of words corrupted, no punctuation",
)
# The hints are fitted on what wording leaves open of lists that were rewritten in part, and on questions not asked.
REWRITTEN = ("a third edited", "a third rephrased")
REWRITTEN_OF = ("optech_qa", "seu_mech")
# Closeness to the wording is used only relative to what is usual for the host, not also by itself: a question that was
# left out is then less often confused with one that shares its words (``align_ablation.py``).
WITHOUT = ("coverage", "nearness")
SLACK = 2.0  # seconds around the true span
RIDGE = 0.002
NEWTON_STEPS = 60
SETTLED = 1e-3
ROUNDS = 3
# For each interview, the places of each question and the range in seconds in which it is asked.
Cases = list[list[tuple[list[Candidate], tuple[float, float] | None]]]


def cases(corpus: Sequence[Interview], encode: Encode | None) -> Cases:
    """Find the places of every question, which is most of the work.

    Only those of whole questions: with those of parts, distance from the wording would weigh so much that questions
    which an editor rewrote are found less often.
    """
    found = []
    for interview in corpus:
        options = places_of(interview.questions, cut(interview.segments), encode, in_parts=False)
        found.append(
            [
                (places, one.span)
                for places, one in zip(options, interview.asked, strict=True)
                if one.kind != "asked again"
            ]
        )
    return found


def rows(found: Cases, weights: Weights, *, first: bool) -> Iterator[tuple[Array, NDArray[np.bool_]]]:
    """Yield for each question the evidence for its places, (places, kinds + 1), and which are right."""
    for interview in found:
        usual = [weights.usual] * len(interview)
        if not first:
            usual = [decision.usual for decision in decide([places for places, _ in interview], weights)]
        for (places, span), often in zip(interview, usual, strict=True):
            starts = np.array([place.start for place in places])
            low, high = span or (np.inf, -np.inf)
            right = (starts >= low - SLACK) & (starts <= high + SLACK)
            if span is None or right.any():
                yield np.array([_row(place, often) for place in places]), right


def _row(place: Candidate, usual: Closeness) -> list[float]:
    closer = (found - often for found, often in zip(closeness(place.evidence), usual, strict=True))
    return [*place.evidence, *closer, 1.0]


def learn(found: Cases, usual: Closeness, *, without: Collection[str] = ()) -> Weights:
    """Return maximum likelihood weights, except those set by hand; the evidence named in ``without`` gets 0."""
    kinds = [*Evidence._fields, *(f"{name}_beyond_usual" for name in Closeness._fields), "bias"]
    counts = np.array([kind not in without for kind in kinds])
    weights = Weights(0.0, Evidence(*[0.0] * len(Evidence._fields)), Closeness(*[0.0] * len(Closeness._fields)), usual)
    for n in range(ROUNDS):
        values = _likeliest([(some * counts, right) for some, right in rows(found, weights, first=n == 0)]).tolist()
        count = len(Evidence._fields)
        by_hand = {
            "scarce": SCARCE,
            "left_out": LEFT_OUT,
            "unanswered": UNANSWERED,
            "read_out": READ_OUT,
            "by_others": BY_OTHERS,
            "stated": STATED,
        }
        evidence = Evidence(*values[:count])._replace(
            **{name: 0.0 if name in without else weight for name, weight in by_hand.items()}
        )
        weights = Weights(values[-1], evidence, Closeness(*values[count:-1]), usual)
    return weights


def _likeliest(found: Sequence[tuple[Array, NDArray[np.bool_]]]) -> Array:
    kinds = found[0][0].shape[1] - 1
    weights = np.zeros(kinds + 1)
    ridge = RIDGE * len(found) * np.diag([*[1.0] * kinds, 0.0])
    for _ in range(NEWTON_STEPS):
        slope, curve = -ridge @ weights, ridge.copy()
        for evidence, right in found:
            odds = np.exp(np.minimum(evidence @ weights, 50))
            chance = odds / (1 + odds.sum())
            wanted = np.where(right, odds, 0) / odds[right].sum() if right.any() else np.zeros(len(odds))
            slope += evidence.T @ (wanted - chance)
            mean = evidence.T @ chance
            curve += (evidence * chance[:, None]).T @ evidence - np.outer(mean, mean)
        step = np.linalg.solve(curve + 1e-9 * np.eye(len(weights)), slope)
        weights += step * min(1.0, 2.0 / np.abs(step).max())
        if np.abs(step).max() < SETTLED:
            break
    return weights


def learn_hints(corpus: Sequence[Interview], encode: Encode, weights: Weights, *, left_out: str | None) -> HintWeights:
    """Return the weights of the hints, fitted on the questions left open with these weights of the evidence."""
    chosen = [one for one in corpus if one.set in LEARNT_FROM and one.source != left_out]
    rewritten = [changes()[name](one) for name in REWRITTEN for one in chosen if one.set in REWRITTEN_OF]
    found = [
        *(row for one in rewritten for row in _open_rows(one, encode, weights, rewritten=True)),
        *(row for one in chosen for row in _open_rows(one, encode, weights, rewritten=False)),
    ]
    *hints, bias = _likeliest(found).tolist()
    return HintWeights(bias, Hints(*hints))


def _open_rows(
    interview: Interview, encode: Encode, weights: Weights, *, rewritten: bool
) -> Iterator[tuple[Array, NDArray[np.bool_]]]:
    """Yield for each open question the hints of the exchanges, (exchanges, hints + 1), and which of them are right.

    Of a ``rewritten`` list only the rewritten questions are used; the others are used from the list as given.
    """
    search = left_open(interview.questions, cut(interview.segments), encode, weights)
    for n in sorted(search.missing | search.guessed):
        asked, hints = interview.asked[n], search.hints(n)
        low, high = asked.span or (np.inf, -np.inf)
        exchanges = [search.windows.exchanges[k] for k in search.free]
        starts = np.array([asking_in(search.wanted[n], search.windows, one).start for one in exchanges])
        right = (starts >= low - SLACK) & (starts <= high + SLACK)
        if len(hints) and (asked.kind == "rephrased") == rewritten and (asked.span is None or right.any()):
            yield np.hstack([hints, np.ones((len(hints), 1))]), right


def learn_from(corpus: Sequence[Interview], encode: Encode | None, *, left_out: str | None = None) -> Weights:
    """Return weights fitted on all interviews except those of one source, as given and made harder."""
    chosen = [one for one in corpus if one.set in LEARNT_FROM and one.source != left_out]
    usual, without = (BY_MEANING.usual, WITHOUT) if encode else (BY_WORDS.usual, ())
    return learn(cases([changes()[name](one) for name in AS for one in chosen], encode), usual, without=without)


@click.command()
@click.option("--interviews", "folder", type=click.Path(path_type=Path), default=FOLDER, show_default=True)
@click.option("--leave-out", "left_out", help="Learn nothing from this source.")
def main(folder: Path, left_out: str | None) -> None:
    """Learn and print."""
    corpus = interviews(folder)
    by_meaning = BY_MEANING
    for name, encode in (("BY_MEANING", remembered()), ("BY_WORDS", None)):
        weights = learn_from(corpus, encode, left_out=left_out)
        by_meaning = weights if encode else by_meaning
        click.echo(f"{name} = Weights(\n    bias={weights.bias:.2f},")
        for part in ("evidence", "closer", "usual"):
            values = getattr(weights, part)
            inside = ", ".join(f"{key}={value:.2f}" for key, value in values._asdict().items() if value)
            click.echo(f"    {part}={type(values).__name__}({inside}),")
        click.echo(")")
    hints = learn_hints(corpus, remembered(), by_meaning, left_out=left_out)
    values = ", ".join(f"{key}={value:.2f}" for key, value in hints.hints._asdict().items())
    click.echo(f"OTHER_WORDS = HintWeights(bias={hints.bias:.2f}, hints=Hints({values}))")


if __name__ == "__main__":
    main()
