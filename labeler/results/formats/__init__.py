"""Formats in which tables leave; one module a format.

A module of this folder that declares a `FORMAT` (see `declaration`) writes its files into every
bundle: nothing else names it.
"""
