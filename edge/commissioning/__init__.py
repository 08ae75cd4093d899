"""What an engineer does before the agent runs: read, scan, watch, doctor, record. Never a write."""
