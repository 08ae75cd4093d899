"""Evidence: what edge, cloud and auditor must agree on, byte for byte. FORMAT.md is the spec.

Frames, keys, chain, log, receipts, archive and the offline verifier. No network, no clock reads;
files are touched only in `keys`, `archive` and `cli`. Imports no other room, except that
`recompute` runs `edge.calc` to make a statement again from the signed readings.
"""
