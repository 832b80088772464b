"""Runs: the stages in order, the tools they work with, console output, single files. The stages do the work."""
