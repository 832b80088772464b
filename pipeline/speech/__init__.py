"""Whisper engines, their weights, voice activity and word times. Knows nothing of feeds or SQLite."""
