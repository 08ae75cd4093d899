"""The control plan at the collector: taken in with its document, held against months, shown."""
