"""Anode effects: found in pot voltages, counted, shared out, held against the controller's own."""
