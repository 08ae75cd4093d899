"""Evidence: what edge, cloud and auditor must agree on, byte for byte. FORMAT.md is the spec.

Frames, keys, chain, log, receipts, archive and the offline verifier. No network; no clock is read
but for the first day of a new certificate. Files are touched only by what opens keys (`keys`,
`key_files`, `pkcs11_signer`), by `archive` and by the commands. Imports no other room, except that
`recompute` runs `edge.calc` to make a statement again from the signed readings.
"""
