"""Files that appear whole, whoever writes them at the same time."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from pipeline.files import new_file


def test_two_threads_may_write_the_same_file_at_once(tmp_path: Path) -> None:
    both = Barrier(2)

    def write(content: bytes) -> None:
        with new_file(tmp_path / "one") as file:
            both.wait(timeout=10)  # each has begun its own
            file.write(content)

    with ThreadPoolExecutor(2) as threads:
        list(threads.map(write, [b"a" * 9, b"b" * 9]))
    assert (tmp_path / "one").read_bytes() in {b"a" * 9, b"b" * 9}
    assert [file.name for file in tmp_path.iterdir()] == ["one"]


@pytest.mark.parametrize("left", ["one.4194305.part", "one.{own}.part", "one.{own}.1.part"])
def test_what_a_killed_process_left_goes(tmp_path: Path, left: str) -> None:
    (tmp_path / left.format(own=os.getpid())).write_bytes(b"half")
    with new_file(tmp_path / "one") as file:
        file.write(b"whole")
    assert [file.name for file in tmp_path.iterdir()] == ["one"]
