"""Work in other processes: it ends with the program, even if that is killed, and never keeps it from exiting."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from multiprocessing import active_children
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest

from pipeline.audio import in_processes
from pipeline.audio.decode import check
from pipeline.audio.in_processes import checks_in_processes
from pipeline.errors import NotAudioError, PassingError
from pipeline.processes import processes

SAMPLE_AUDIO = Path(__file__).parents[2] / "pipeline/sample/data/episode-1.mp3"
LONG = 600.0  # seconds; longer than any test waits


@pytest.fixture(autouse=True)
def _alone() -> None:
    """Wait until the processes of earlier tests have ended, since a pool's block does not."""
    _waits(lambda: not active_children())


def test_what_is_given_up_keeps_nobody_waiting() -> None:
    began = time.monotonic()
    with processes(1) as pool:
        under_way, waiting = pool.submit(time.sleep, LONG), pool.submit(time.sleep, LONG)
        pool_process = _only_child()
    assert time.monotonic() - began < 30
    assert waiting.cancelled() or under_way.exception(30) is not None
    _ends(pool_process)


def test_they_do_not_outlive_a_program_that_is_killed(tmp_path: Path) -> None:
    script = tmp_path / "works.py"
    script.write_text(
        "import os, time\n"
        "from pipeline.processes import processes\n"
        "if __name__ == '__main__':\n"
        "    with processes(1) as pool:\n"
        "        print(pool.submit(os.getpid).result(), flush=True)\n"
        "        pool.submit(time.sleep, 600).result()\n"
    )
    with subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE, text=True) as program:
        worker = int(next(iter(program.stdout or ())))
        program.kill()
    _ends(worker)


def test_a_program_that_gives_up_great_answers_ends(tmp_path: Path) -> None:
    script = tmp_path / "works.py"
    script.write_text(
        "from pipeline.processes import processes\n"
        "if __name__ == '__main__':\n"
        "    with processes(2) as pool:\n"
        "        answers = [pool.submit(bytes, 50_000_000) for _ in range(8)]\n"
        "        answers[0].result()\n"  # others are being started
    )
    subprocess.run([sys.executable, script], check=True, timeout=60)


@pytest.mark.parametrize("moment", [0.0, 0.1])
def test_ctrl_c_while_they_begin_is_left_to_the_program(tmp_path: Path, moment: float) -> None:
    script = tmp_path / "works.py"
    script.write_text(
        "import signal, time\n"
        "from pipeline.processes import processes\n"
        "if __name__ == '__main__':\n"
        "    signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "    try:\n"
        "        with processes(2) as pool:\n"
        "            both = [pool.submit(time.sleep, 600) for _ in range(2)]\n"
        "            print('begun', flush=True)\n"
        "            while True:\n"
        "                time.sleep(0.1)\n"  # a signal just before a sleep is handled only after it
        "    except KeyboardInterrupt:\n"
        "        pass\n"
    )
    with subprocess.Popen(
        [sys.executable, script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as program:
        next(iter(program.stdout or ()))
        time.sleep(moment)
        os.killpg(program.pid, signal.SIGINT)  # like a terminal
        said = program.communicate(timeout=30)[1]
    assert "KeyboardInterrupt" not in said


def test_many_files_are_checked_as_one_is(tmp_path: Path) -> None:
    nothing = tmp_path / "nothing.mp3"
    nothing.write_bytes(b"")
    with checks_in_processes(2) as checked, ThreadPoolExecutor(4) as threads:
        facts = list(threads.map(checked, [SAMPLE_AUDIO] * 6))
        assert facts == [check(SAMPLE_AUDIO)] * 6
        several = [threads.submit(checked, nothing) for _ in range(4)]
        for one in several:
            with pytest.raises(NotAudioError, match="the file is empty"):
                one.result()


def test_a_killed_process_is_no_loss() -> None:
    with checks_in_processes(1) as checked, ThreadPoolExecutor(3) as threads:
        list(threads.map(checked, [SAMPLE_AUDIO] * 3))
        os.kill(_only_child(), signal.SIGKILL)
        assert list(threads.map(checked, [SAMPLE_AUDIO] * 3)) == [check(SAMPLE_AUDIO)] * 3


def test_who_is_left_over_at_the_end_gets_no_new_process_and_is_not_said_to_have_no_audio() -> None:
    with checks_in_processes(1) as never_begun:
        pass
    with checks_in_processes(1) as begun, ThreadPoolExecutor(3) as threads:
        list(threads.map(begun, [SAMPLE_AUDIO] * 3))
    for checked in (never_begun, begun):
        with ThreadPoolExecutor(4) as threads:
            late = [threads.submit(checked, SAMPLE_AUDIO) for _ in range(4)]
        assert all(isinstance(one.exception(), PassingError) for one in late)
    _ends(*active_children())


def test_what_waits_at_the_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(in_processes, "check", time.sleep)  # in a module, since processes import it by name
    threads = ThreadPoolExecutor(5)
    with checks_in_processes(1) as checked:
        alone = threads.submit(checked, 3.0)  # type: ignore[arg-type]  # seconds to sleep
        _waits(alone.running)
        waiting = [threads.submit(checked, LONG) for _ in range(4)]  # type: ignore[arg-type]
        _only_child()
    assert all(isinstance(one.exception(30), PassingError) for one in waiting)
    threads.shutdown()


def test_a_file_that_comes_alone_needs_no_process() -> None:
    with checks_in_processes(2) as checked:
        assert checked(SAMPLE_AUDIO) == checked(SAMPLE_AUDIO) == check(SAMPLE_AUDIO)
        assert not active_children()


def _only_child() -> int:
    _waits(active_children)
    (child,) = active_children()
    return child.pid or 0


def _ends(*processes: int | BaseProcess) -> None:
    for one in processes:
        pid = one if isinstance(one, int) else one.pid or 0
        _waits(partial(_has_ended, pid))


def _has_ended(pid: int) -> bool:
    try:
        return "zombie" in Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return True


def _waits(true: Callable[[], object]) -> None:
    end = time.monotonic() + 30
    while not true():
        assert time.monotonic() < end, "waited in vain"
        threading.Event().wait(0.05)
