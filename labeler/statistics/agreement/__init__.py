"""Coefficients of agreement between coders, and their intervals."""
