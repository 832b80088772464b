"""Whisper engines, their weights, voice activity and word times. Independent of feeds and SQLite."""
