"""Requests to the model server: limits, retries, failures."""
