"""Resolving, fetching and parsing feeds, and the show notes in them. Independent of audio and SQLite."""
