"""Files that are complete when they appear. It knows nothing of what is in them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO


@contextmanager
def new_file(target: Path) -> Iterator[BinaryIO]:
    """Open a file that takes its name, in place of an older one, only when the block ended well.

    Until then it is ``NAME.PROCESS.part`` in the same folder; after an error it is gone, and a file that
    had the name before is untouched.

    Args:
        target: The name it will have; its folder must exist.
    """
    part = target.with_name(f"{target.name}.{os.getpid()}.part")
    try:
        with part.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
