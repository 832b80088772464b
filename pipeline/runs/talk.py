"""Console output of a run, on standard error: progress bars on a terminal, plain lines elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.text import Text

from pipeline.model import RunItem
from pipeline.progress import Begin, unseen
from pipeline.runs.report import Report

_COLOURS = {"ok": "green", "skipped": "yellow", "failed": "red"}


class Talk:
    """Prints progress and results; with ``quiet`` only failures."""

    def __init__(self, *, quiet: bool = False) -> None:
        self._console = Console(stderr=True, highlight=False, soft_wrap=True)
        self._quiet = quiet

    def item(self, item: RunItem) -> None:
        """Print a line about one stage of one episode or feed."""
        if self._quiet and item.status != "failed":
            return
        line = Text(f"{item.episode or item.feed} {item.stage} ")
        line.append(item.status, style=_COLOURS[item.status])
        line.append(f": {item.reason}")
        self._console.print(line)

    def report(self, report: Report) -> None:
        """Print the result of a run: the numbers of ok, skipped and failed for each stage."""
        if self._quiet and not report.failures:
            return
        for stage in report.stages:
            counts = report.counts(stage)
            reasons = ", ".join(f"{number} {reason}" for reason, number in report.skip_reasons(stage).items())
            self._console.print(
                f"{stage}: {counts['ok']} ok, {counts['skipped']} skipped"
                + (f" ({reasons})" if reasons else "")
                + f", {counts['failed']} failed",
                markup=False,
            )
        if report.interrupted:
            self._console.print("Interrupted. What was finished is kept; run again to continue.")

    @contextmanager
    def progress(self, label: str, total: float) -> Iterator[Callable[[float], None]]:
        """Show the progress of ``label`` out of ``total`` seconds of audio; nothing without a terminal."""
        with self.bar(label) as begin:
            yield begin(total)

    @contextmanager
    def bar(self, label: str) -> Iterator[Begin]:
        """Show a progress bar for ``label``: yields ``begin(total)``, which returns ``update(done)``."""
        if self._quiet or not self._console.is_terminal:
            yield unseen
            return
        columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
        with Progress(*columns, console=self._console, transient=True) as bar:
            task = bar.add_task(label, total=None)

            def begin(total: float) -> Callable[[float], None]:
                bar.update(task, total=total)
                return lambda done: bar.update(task, completed=done)

            yield begin
