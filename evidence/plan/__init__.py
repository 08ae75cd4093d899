"""The control plan (数据质量控制计划): what it says, whether practice follows it, what is due.

Pure. Read by the site that is checked against it, by the collector's pages, and by whoever opens an
archive.
"""
