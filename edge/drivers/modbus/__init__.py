"""Modbus: plan (what to ask), decode (what it means), driver (the wire)."""
