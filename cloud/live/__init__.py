"""Live pages: values as they arrive, kept as one state, sent to every open page as deltas."""
