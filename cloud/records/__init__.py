"""Documents that persons sign, at the collector: taken in, kept, logged, given out."""
