"""Fixtures that every test may use."""

from tests.demo_archive import demo, demo_db, demo_runs

__all__ = ["demo", "demo_db", "demo_runs"]
