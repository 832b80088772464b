"""Forced alignment: locating known words in sound, by PocketSphinx's acoustic model. Does not recognise speech."""

LANGUAGE = "en"  # the only supported language, as Whisper's code
