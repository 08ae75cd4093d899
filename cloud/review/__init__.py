"""Review of sealed months: what was opened, asked and decided; plants side by side."""
