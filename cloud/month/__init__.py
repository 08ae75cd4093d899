"""The month engine: what a month still lacks, who owes it, until when, and closing it.

`deadlines`, `tally`, `owed`, `states` are pure; `facts` (SQLite) and `reader` (the log) are I/O;
`engine` runs them beside the collector.
"""
