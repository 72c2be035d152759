"""Spans that coders marked: overlap, alignment, alpha for unitizing."""
