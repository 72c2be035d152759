"""The same computations on any table of codings, without a project."""
