"""Templates, texts and static files of the pages; no Python."""
