"""The version of program and package, kept equal to pyproject.toml by a test."""

VERSION = "0.1.0"
