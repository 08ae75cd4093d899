"""OPC UA: decode (what an answer means), driver (the wire)."""
