"""Sealed months screened for the pages: once each, in a process of its own, and kept."""
