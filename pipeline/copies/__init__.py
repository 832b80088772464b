"""Copies of a whole archive: bags to keep, published copies to serve."""
