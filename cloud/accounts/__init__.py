"""Persons, their sessions and programs' tokens: a pure core, and one file of I/O (`store`)."""
