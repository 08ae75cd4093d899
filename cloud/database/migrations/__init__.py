"""Alembic's folder: how a database of an earlier version is moved on."""
