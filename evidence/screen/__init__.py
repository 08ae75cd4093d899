"""Sealed months screened: read once while they are verified (`reader`), asked (`screened`), told.

The questions stand in `edge.calc.screening`. docs/screening.md, ADR 0038.
"""
