"""Downloading, checking, storing and decoding audio. Independent of feeds and speech."""
