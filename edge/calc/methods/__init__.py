"""Methods: one published formula or rule each, by name, with units, range, source and example."""
