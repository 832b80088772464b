"""Applying editors' checks, attributions and corrections. Pure; independent of the archive and the site."""
