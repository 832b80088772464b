"""The machine's resources for this process: cores, memory, and whether other processes compete for the CPU."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import NamedTuple

_CPUS = Path("/sys/devices/system/cpu")
_QUOTA = Path("/sys/fs/cgroup/cpu.max")
_TIMES = Path("/proc/stat")
_MEMORY = Path("/sys/fs/cgroup/memory.max")
_MEMORY_USED = Path("/sys/fs/cgroup/memory.current")

_LONG_ENOUGH = 0.25  # seconds; the system counts CPU time in hundredths
_A_LITTLE = 0.1  # share of the CPU; it is crowded if others use more than this, and less than this is idle


def usable_cores() -> int:
    """Count the physical cores in this process's affinity mask, within the container's quota.

    Decoding is compute-bound: a second thread on the same core only adds switching, and threads beyond a container's
    quota spin while they are throttled. If the system does not provide the affinity mask, all logical CPUs are counted.
    """
    if not hasattr(os, "sched_getaffinity"):
        return os.cpu_count() or 1
    cores = {_siblings(cpu) for cpu in os.sched_getaffinity(0)}
    return max(1, min(len(cores), _quota()))


def _siblings(cpu: int) -> str:
    shared = _CPUS / f"cpu{cpu}" / "topology" / "thread_siblings_list"
    return shared.read_text() if shared.exists() else str(cpu)


def _quota() -> int:
    """The whole CPUs that a control group grants: ``cpu.max`` holds microseconds per period, or ``max``."""
    granted, _, period = _QUOTA.read_text().partition(" ") if _QUOTA.exists() else ("max", "", "")
    return (os.cpu_count() or 1) if granted == "max" else max(1, int(granted) // int(period))


def usable_memory() -> int:
    """The bytes of memory available now, within the container's limit; 1 TiB if the system does not tell."""
    known = Path("/proc/meminfo")
    lines = known.read_text().splitlines() if known.exists() else []
    free = next((int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:")), 1 << 40)
    granted = _MEMORY.read_text().strip() if _MEMORY.exists() else "max"
    used = int(_MEMORY_USED.read_text()) if granted != "max" and _MEMORY_USED.exists() else 0
    return free if granted == "max" else max(0, min(free, int(granted) - used))


class Neighbours:
    """The CPU use of other processes, measured between calls."""

    def __init__(self) -> None:
        self._before = _spent()
        self._crowd = False

    def crowd(self) -> bool:
        """Tell whether others use more than a tenth of the CPU and less than that is idle; False if unknown."""
        now = _spent()
        wall, busy, own, idle = (b - a for a, b in zip(self._before, now, strict=True))
        if wall >= _LONG_ENOUGH:
            self._before = now
            self._crowd = busy - own > _A_LITTLE * (busy + idle) > idle
        return self._crowd


class _Spent(NamedTuple):
    """Seconds of wall clock time, and of CPU time: usable CPUs busy, used by this process, and usable CPUs idle."""

    wall: float
    busy: float
    own: float
    idle: float


def _spent() -> _Spent:
    usable = {f"cpu{cpu}" for cpu in os.sched_getaffinity(0)} if hasattr(os, "sched_getaffinity") else set()
    lines = _TIMES.read_text().splitlines() if _TIMES.exists() else []
    busy = idle = 0
    for name, *ticks in (line.split() for line in lines):
        if name in usable:
            # proc(5): user, nice, system, idle, iowait, irq, softirq, and fields that are not needed.
            user, nice, system, idling, waiting, irq, softirq = map(int, ticks[:7])
            busy += user + nice + system + irq + softirq
            idle += idling + waiting
    a_second = os.sysconf("SC_CLK_TCK") if lines else 1
    return _Spent(time.monotonic(), busy / a_second, time.process_time(), idle / a_second)
