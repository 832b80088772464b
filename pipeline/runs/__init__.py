"""Runs: what they are about, putting them together, what they say, and work on files alone. The stages do the work."""
