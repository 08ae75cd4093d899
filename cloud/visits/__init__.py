"""What a reviewer does on site: which meters, which samples, and the face against the log."""
