"""Audio that is on the disk already."""
