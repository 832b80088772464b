"""Speaker diarization: voices are told apart, and named if that is certain. Does not transcribe."""
