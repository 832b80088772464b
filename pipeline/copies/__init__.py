"""Copies of a whole archive: bags for preservation, published copies for serving."""
