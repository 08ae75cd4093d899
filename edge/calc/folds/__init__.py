"""Folds over readings: the running values of a plant, and the input of its month's statement."""
