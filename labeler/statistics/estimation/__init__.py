"""Totals and tables from a model's and blind codes; designs of samples; small cells."""
