"""The way out of a one-way site: files for a ferry, or datagrams through a diode.

Nothing comes back this way. What has left stays in the spool as a ring (`leaving`), so that it can
be written again by hand: `stackproof edge export`. ADR 0046.
"""
