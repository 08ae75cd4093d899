"""Emission calculations: pure, exact, the same at the edge, in the month and for the auditor."""
