"""What plants emitted so far this hour, day and month, and where month and year are heading."""
