"""The coder that knows word lists."""
