"""Verifying an archive: its files against what was recorded, the database against itself; and repairing it.

``verify`` changes nothing; ``repair`` restores only what was recorded.
"""

from __future__ import annotations

from pipeline.proof.problems import Problem
from pipeline.proof.repair import Mended, repair
from pipeline.proof.verify import Verified, verify

__all__ = ["Mended", "Problem", "Verified", "repair", "verify"]
