"""The SQLite archive: its schema, writing it, reading it, searching it. Knows nothing of HTTP or Whisper."""
