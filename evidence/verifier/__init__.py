"""The verifier, one step a file, in the order of FORMAT.md "Verifying".

`run.verify` goes through all of them and collects every finding. Nothing here writes, reads a
clock or talks to a network; the archive is read front to back, an hour of frames at a time.
"""
