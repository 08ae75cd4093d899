"""What points said over time, by the minute, hour and day: a projection of the committed log."""
