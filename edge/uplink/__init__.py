"""Delivery: `machine` decides what to send (pure), `mqtt` is the only file that touches paho."""
