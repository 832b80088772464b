"""Runs: selecting episodes, assembling the tools, console output, processing single files. The stages do the work."""
