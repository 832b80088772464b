"""How many threads are worth starting, and how much memory there is for them, as far as this process may use them."""

from __future__ import annotations

import os
from pathlib import Path

_CPUS = Path("/sys/devices/system/cpu")
_QUOTA = Path("/sys/fs/cgroup/cpu.max")
_MEMORY = Path("/sys/fs/cgroup/memory.max")
_MEMORY_USED = Path("/sys/fs/cgroup/memory.current")


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


def usable_memory() -> int:
    """Bytes of memory that could be had now, within the container's limit; where the system does not tell, many."""
    known = Path("/proc/meminfo")
    lines = known.read_text().splitlines() if known.exists() else []
    free = next((int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:")), 1 << 40)
    granted = _MEMORY.read_text().strip() if _MEMORY.exists() else "max"
    used = int(_MEMORY_USED.read_text()) if granted != "max" and _MEMORY_USED.exists() else 0
    return free if granted == "max" else max(0, min(free, int(granted) - used))
