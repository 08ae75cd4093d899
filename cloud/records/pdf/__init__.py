"""Attached PDFs are read in a process of their own, which may do nothing else."""
