"""Forced alignment: known words are found in sound, by PocketSphinx's acoustic model. It recognises nothing."""

LANGUAGE = "en"  # the one whose words can be found, by Whisper's code
