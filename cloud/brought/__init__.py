"""Archives that people bring to a collector to be verified."""
