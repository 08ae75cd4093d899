"""A month is closed: entered in the log, countersigned by the plant, sealed in an archive."""
