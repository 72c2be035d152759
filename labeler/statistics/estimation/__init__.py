"""Shares, designs of samples, and cells too small to be shown."""
