"""Shifts: what happened in one, what the next must watch, and the handing over between them."""
