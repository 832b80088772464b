"""The bundled sample show: invented interviews with synthetic voices, to try everything out on real audio."""

from __future__ import annotations

from pathlib import Path

DATA = Path(__file__).parent / "data"
SLUG = "inspection-interview"
EPISODES = ("episode-1", "episode-2")
