"""Foreign PDFs, JPEGs and PNGs are read in a process of their own, which may do nothing else."""
