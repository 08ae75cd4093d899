"""The evidence of plants on disk: signed objects, the log, its tree. No broker, web or clock."""
