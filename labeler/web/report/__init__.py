"""The pages of the report, read-only."""
