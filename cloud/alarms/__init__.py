"""Alarms: what needs somebody's action, raised once, cleared once; and the log of it."""
