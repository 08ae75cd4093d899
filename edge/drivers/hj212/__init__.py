"""HJ 212: what a CEMS logger sends on its second output."""
