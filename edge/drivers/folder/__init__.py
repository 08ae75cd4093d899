"""Rows of CSV and XLSX files that are dropped into a folder."""
