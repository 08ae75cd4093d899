"""From the broker to the log: `judge` decides (pure), `service` keeps order, `mqtt` carries."""
