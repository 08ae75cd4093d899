"""What a real device answered, as a file that people can read, and the device played from it."""
