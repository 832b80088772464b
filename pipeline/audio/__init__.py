"""Downloading, checking, keeping and decoding audio. Knows nothing of feeds or speech."""
