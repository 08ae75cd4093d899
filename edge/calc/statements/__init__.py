"""Statements: a month's lines and totals from its input, and what stands beside them."""
