"""The commands, one module each: they parse, call and print. What they call is independent of the command line."""
