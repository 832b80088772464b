"""What of the machine this process may use: cores, memory, and whether it has the processor for itself."""

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

_LONG_ENOUGH = 0.25  # seconds: the system counts hundredths
_A_LITTLE = 0.1  # of the processor: so much the others use, and less is idle, where it is crowded


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


class Neighbours:
    """What other processes use of the processor, from one question to the next."""

    def __init__(self) -> None:
        self._before = _spent()
        self._crowd = False

    def crowd(self) -> bool:
        """Whether they want more of it than is left to them; False where the system does not tell."""
        now = _spent()
        wall, busy, own, idle = (b - a for a, b in zip(self._before, now, strict=True))
        if wall >= _LONG_ENOUGH:
            self._before = now
            self._crowd = busy - own > _A_LITTLE * (busy + idle) > idle
        return self._crowd


class _Spent(NamedTuple):
    """Seconds: since some moment, and of the usable CPUs at work, at work for this process, and idle."""

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
            # proc(5): user, nice, system, idle, iowait, irq, softirq, and what is not ours to judge.
            user, nice, system, idling, waiting, irq, softirq = map(int, ticks[:7])
            busy += user + nice + system + irq + softirq
            idle += idling + waiting
    a_second = os.sysconf("SC_CLK_TCK") if lines else 1
    return _Spent(time.monotonic(), busy / a_second, time.process_time(), idle / a_second)
