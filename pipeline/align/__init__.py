"""Aligning published questions to a transcript. Independent of audio, SQLite and HTTP."""

from pipeline.align.aligner import ALIGNER_VERSION, Alignment, align

__all__ = ["ALIGNER_VERSION", "Alignment", "align"]
