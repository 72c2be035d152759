"""One module a command, one function each: read, stage, write."""
