"""What is asked of a batch beside reliability; one module an assessment.

A module of this folder that declares an `ASSESSMENT` (see `declaration`) is computed by
`labeler reliability` and shown by the terminal, the page and the bundle: nothing else names it.
Modules without one hold what several of them share.
"""
