"""Codings, whoever gave them: panels, imports, consensus."""
