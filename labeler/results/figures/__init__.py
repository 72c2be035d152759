"""Figures; one module a figure.

A module of this folder that declares a `FIGURE` (see `declaration`) is drawn on the pages and in
bundles: nothing else names it. Modules without one hold what several of them share.
"""
