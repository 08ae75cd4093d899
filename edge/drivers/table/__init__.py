"""Rows of a database, read with one SELECT."""
