"""How many threads are worth starting: one a physical core that this process may really use."""

from __future__ import annotations

import os
from pathlib import Path

_CPUS = Path("/sys/devices/system/cpu")
_QUOTA = Path("/sys/fs/cgroup/cpu.max")


def usable_cores() -> int:
    """Count the physical cores in this process's affinity, within the container's quota.

    Decoding is bound by arithmetic: a second thread on the same core only adds switching, and threads
    beyond a container's quota spin while they are not let run. Where the system does not tell, every
    logical CPU counts.
    """
    if not hasattr(os, "sched_getaffinity"):
        return os.cpu_count() or 1
    cores = {_siblings(cpu) for cpu in os.sched_getaffinity(0)}
    return max(1, min(len(cores), _quota()))


def _siblings(cpu: int) -> str:
    shared = _CPUS / f"cpu{cpu}" / "topology" / "thread_siblings_list"
    return shared.read_text() if shared.exists() else str(cpu)


def _quota() -> int:
    """Whole CPUs that a control group grants: ``cpu.max`` holds microseconds per period, or ``max``."""
    granted, _, period = _QUOTA.read_text().partition(" ") if _QUOTA.exists() else ("max", "", "")
    return (os.cpu_count() or 1) if granted == "max" else max(1, int(granted) // int(period))
