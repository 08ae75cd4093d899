"""Statistics on a sealed month's readings: what is unusual, how unusual, and what else does it.

Nothing here says that somebody cheated. `quarters` reduces readings to quarter-hours, `month` holds
what the questions look at, `questions` has one question a file. ADR 0038.
"""
