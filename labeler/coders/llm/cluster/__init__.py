"""Requests from many machines at once."""
