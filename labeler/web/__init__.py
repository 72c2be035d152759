"""Read-only pages over the store: query, 404, render. They compute nothing and change nothing.

`hook` alone notes a time, by which a pull that watches knows that it may pull at once.
"""

from labeler.web.app import create_app

__all__ = ["create_app"]
