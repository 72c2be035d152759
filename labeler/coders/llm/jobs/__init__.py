"""Requests as the provider's jobs: a file up, a file down, within a day."""
