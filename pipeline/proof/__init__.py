"""Verifying an archive: its files against what was recorded, the database against itself; and repairing it."""
