"""The commands, one module each: they parse, call and print. What they call knows nothing of the command line."""
