"""Simulated plants with ground truth, served over real protocols."""
