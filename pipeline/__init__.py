"""Turn interview podcasts into an archive that can be searched, quoted and cited."""

__version__ = "0.1.0"
