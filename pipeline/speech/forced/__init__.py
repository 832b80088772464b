"""Forced alignment: known words are found in sound, by PocketSphinx's acoustic model. It recognises nothing."""
