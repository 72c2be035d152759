"""The coder that learns from adjudicated units, without a server."""
