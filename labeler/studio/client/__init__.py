"""Calls to Label Studio's server."""
