"""Proving an archive: every file against what was recorded of it, the database against itself; and mending it.

``verify`` changes nothing, ``repair`` puts nothing in place that is not what was recorded.
"""

from __future__ import annotations

from pipeline.proof.problems import Problem
from pipeline.proof.repair import Mended, repair
from pipeline.proof.verify import Verified, verify

__all__ = ["Mended", "Problem", "Verified", "repair", "verify"]
