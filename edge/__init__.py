"""The edge agent: reads meters, computes, signs, keeps and delivers. It never writes to a device.

`agent` is the composition root; `edge.calc` is pure and installable without the rest.
"""
