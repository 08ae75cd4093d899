"""A witness's program: keeps and cosigns the checkpoints of plants' logs, on a machine of its own.

It stands beside `edge` and `cloud` on `evidence`, and imports neither: whoever watches a collector
runs none of its code. `visit` is what is done at one plant, `notebook` what is kept, `asking` the
network.
"""
