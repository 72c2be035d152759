"""The coder that is a language model behind a server."""
