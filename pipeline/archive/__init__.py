"""The SQLite archive: its schema, writing it, reading it, searching it. Knows nothing of HTTP or Whisper.

A function that takes a connection takes it whatever its row factory, because Datasette's connections have their own.
"""
