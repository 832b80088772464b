"""The report of a run: the outcome of each stage of each feed and episode."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field

from pipeline.exits import Exit
from pipeline.model import RunItem, StageName


@dataclass
class Report:
    """What a run did: the outcome of each item, counted per stage as ``ok``, ``skipped`` and ``failed``."""

    run: int
    stages: Sequence[StageName]
    items: list[RunItem] = field(default_factory=list)
    interrupted: bool = False
    stopped: str | None = None  # the error that stopped the whole run, such as a full disk

    def counts(self, stage: str) -> dict[str, int]:
        """Return how many items of a stage ended in each way."""
        found = Counter(item.status for item in self.items if item.stage == stage)
        return {status: found[status] for status in ("ok", "skipped", "failed")}

    def skip_reasons(self, stage: str) -> dict[str, int]:
        """Return how often each reason to skip was given in a stage."""
        return dict(
            Counter(item.reason or "" for item in self.items if (item.stage, item.status) == (stage, "skipped"))
        )

    @property
    def failures(self) -> list[RunItem]:
        """Return what failed."""
        return [item for item in self.items if item.status == "failed"]

    @property
    def exit_code(self) -> Exit:
        """Return how the run ended."""
        if self.interrupted:
            return Exit.INTERRUPTED
        if self.stopped is not None:
            return Exit.STOPPED
        return Exit.after(self.failures)

    def as_dict(self) -> dict[str, object]:
        """Return the report as it is printed with --json; the database keeps it without the paths in it."""
        return {
            "run": self.run,
            "exit_code": self.exit_code,
            "interrupted": self.interrupted,
            "stopped": self.stopped,
            "stages": {
                stage: {**self.counts(stage), "skip_reasons": self.skip_reasons(stage)} for stage in self.stages
            },
            "ok": [asdict(item) for item in self.items if item.status == "ok"],
            "failed": [asdict(item) for item in self.failures],
        }
