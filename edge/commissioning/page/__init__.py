"""The commissioning page: what `edge read`, `doctor` and `record` do, in a browser, at the edge.

It runs no script and keeps nothing but what a person typed until the record is made.
"""
