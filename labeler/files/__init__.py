"""Readers of records, spreadsheets and tables of codings."""
