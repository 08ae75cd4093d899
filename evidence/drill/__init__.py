"""From a month's statement down to one reading and its proof, wherever the evidence lies."""
