"""Adopting audio files that are on disk already."""
