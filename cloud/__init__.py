"""The collector's side: verifies, logs, receipts, closes months, and shows it all on pages."""
