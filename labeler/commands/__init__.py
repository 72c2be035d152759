"""One module a command: its options, one call, its output. `command` is the name of each."""
