"""Read-only pages over the store: query, 404, render. They compute nothing and change nothing."""

from labeler.web.app import create_app

__all__ = ["create_app"]
