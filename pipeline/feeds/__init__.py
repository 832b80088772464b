"""Resolving, fetching and reading feeds, and the show notes in them. Knows nothing of audio or SQLite."""
